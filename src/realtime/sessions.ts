import { createHash, randomBytes } from 'node:crypto'
import type { Adapter, Session } from 'socket.io-adapter'
import type { Logger } from 'pino'
import { type Database, persistently, statement } from '../database/connection.ts'
import type { SocketData } from './events.ts'
import { PairAdapter } from './pair-broadcast.ts'

/** How often a connected session is noted as seen, in milliseconds; more often if it lives short. */
const SEEN_EVERY = 3_600_000
const SEEN_PER_LIFE = 10
/** Sessions of one user that are kept: every window, and every time that it loads, adds one. */
const MOST_KEPT = 100
/** Longest wait for a session, in milliseconds; socket.io gives the socket up before. */
const LONGEST_RETURN = 60_000
/** A logout that the database cannot be told of in this time is forgotten, in milliseconds. */
const LONGEST_FAREWELL = 3_600_000

/** For whom a session speaks, and since when. */
export interface StoredSession {
  readonly userId: string
  /** Position of the newest message when it began to speak for them: it missed none before. */
  readonly startPosition: number
}

/** The stored sessions: which user each `pid` speaks for. The pid is a secret, kept as a hash. */
export interface Sessions {
  /** Undefined when it is unknown, expired or ended. */
  find(pid: string): Promise<StoredSession | undefined>
  /**
   * Lets a session speak for a user; of many sessions of theirs those not seen for longest end.
   * False, and nothing changes, when there is no such user.
   *
   * @param explicit whether by the event `login`
   * @param startPosition of the newest message that the user's devices have been sent; of a session
   *   that speaks for them already, the earlier one stays
   */
  save(pid: string, userId: string, explicit: boolean, startPosition: number): Promise<boolean>
  /** Ends a session: at once for this process, and in the database as soon as it answers. */
  end(pid: string): Promise<void>
  /** Notes that these are connected, and deletes those not seen for the time to live. */
  keep(pids: readonly string[]): Promise<void>
  /** Milliseconds between two such notes. */
  readonly keptEvery: number
}

// Noted as seen only if that is due, so that most returns write nothing.
const found = statement<[userId: string, startPosition: number]>(
  'sessions_find',
  `with seen as (
    update socket_sessions set seen_at = now()
    where pid_hash = $1 and seen_at > now() - make_interval(secs => $2)
      and seen_at < now() - make_interval(secs => $3)
  )
  select user_id, start_position from socket_sessions
  where pid_hash = $1 and seen_at > now() - make_interval(secs => $2)`,
)
const saved = statement<[userId: string]>(
  'sessions_save',
  `with surplus as (
    delete from socket_sessions where pid_hash in (
      select pid_hash from socket_sessions where user_id = $2 and pid_hash <> $1
      order by seen_at desc offset ${MOST_KEPT - 1}
    )
  )
  insert into socket_sessions (pid_hash, user_id, explicit, start_position)
  select $1, id, $3, $4 from users where id = $2
  on conflict (pid_hash) do update
  set user_id = excluded.user_id, explicit = excluded.explicit, created_at = now(), seen_at = now(),
    start_position = case socket_sessions.user_id
      when excluded.user_id then socket_sessions.start_position else excluded.start_position end
  returning user_id`,
)
const ended = statement('sessions_end', 'delete from socket_sessions where pid_hash = $1')
const noted = statement(
  'sessions_note',
  'update socket_sessions set seen_at = now() where pid_hash = any($1::text[])',
)
const expired = statement(
  'sessions_expire',
  'delete from socket_sessions where seen_at <= now() - make_interval(secs => $1)',
)

/** @param ttl milliseconds after which a session that was not seen expires */
export function createSessions(db: Database, ttl: number): Sessions {
  const keptEvery = Math.min(SEEN_EVERY, ttl / SEEN_PER_LIFE)
  /** Ended here, while the database may not know it yet. */
  const ending = new Map<string, symbol>()

  return {
    keptEvery,
    async find(pid) {
      // Asking could mean waiting for the very database that cannot be told yet.
      if (ending.has(pid)) return undefined
      const [row] = await db.run(found, [hash(pid), ttl / 1000, keptEvery / 1000])
      if (row === undefined || ending.has(pid)) return undefined
      const [userId, startPosition] = row
      return { userId, startPosition }
    },
    async save(pid, userId, explicit, startPosition) {
      const [row] = await db.run(saved, [hash(pid), userId, explicit, startPosition])
      if (row !== undefined) ending.delete(pid)
      return row !== undefined
    },
    async end(pid) {
      const mine = Symbol()
      ending.set(pid, mine)
      const isMine = () => ending.get(pid) === mine
      try {
        await persistently(db, () => db.run(ended, [hash(pid)]), LONGEST_FAREWELL, isMine)
      } finally {
        if (isMine()) ending.delete(pid)
      }
    },
    async keep(pids) {
      if (pids.length > 0) await db.run(noted, [pids.map(hash)])
      await db.run(expired, [ttl / 1000])
    },
  }
}

/** Notes every now and then which sessions are connected. Gives what ends it. */
export function keepSessions(sessions: Sessions, connected: () => string[], log: Logger) {
  const timer = setInterval(() => {
    sessions.keep(connected()).catch((error: unknown) => {
      log.warn({ err: error }, 'sessions could not be noted as seen')
    })
  }, sessions.keptEvery)
  timer.unref()
  return () => clearInterval(timer)
}

/** The secret session id of a socket; socket.io makes one for every socket that is new. */
export function pidOf(socket: object): string {
  return (socket as { pid: string }).pid
}

/**
 * Makes the adapter class that lets sockets return: it only finds out who it is. What was missed
 * is sent later, when rooms and rights have been asked for (recovery.ts).
 */
export function returningAdapter(sessions: Sessions, db: Database): typeof Adapter {
  return class extends PairAdapter {
    override async restoreSession(pid: string, offset: string): Promise<Session> {
      // While the database is away the client waits, connected to nothing: what it emits it keeps.
      const session = await persistently(db, () => sessions.find(pid), LONGEST_RETURN)
      // No session: null makes socket.io begin a new one.
      if (session === undefined) return null as unknown as Session
      const data: SocketData = { returning: offset }
      // Not the old socket id: the old socket may still be there and would take its rooms along.
      const sid = randomBytes(15).toString('base64url')
      return { sid, pid, rooms: [], data, missedPackets: [] }
    }
  }
}

function hash(pid: string): string {
  return createHash('sha256').update(pid).digest('hex')
}
