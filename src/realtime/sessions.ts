import { createHash, randomBytes } from 'node:crypto'
import { and, eq, gt, inArray, lt, sql } from 'drizzle-orm'
import { Adapter, type Session } from 'socket.io-adapter'
import type { Logger } from 'pino'
import type { Queryable } from '../database/connection.ts'
import { socketSessions } from '../database/schema.ts'
import type { SocketData } from './events.ts'

/** How often a connected session is noted as seen, in milliseconds. */
const SEEN_EVERY = 3_600_000

/** The stored sessions: which user each `pid` speaks for. The pid is a secret, kept as a hash. */
export interface Sessions {
  /** The session's user; undefined when it is unknown, expired or logged out. */
  find(pid: string): Promise<string | undefined>
  save(pid: string, userId: string, explicit: boolean): Promise<void>
  delete(pid: string): Promise<void>
  /** Notes that these are connected, and deletes those not seen for the time to live. */
  keep(pids: readonly string[]): Promise<void>
}

/** @param ttl milliseconds after which a session that was not seen expires */
export function createSessions(db: Queryable, ttl: number): Sessions {
  const limit = () => new Date(Date.now() - ttl)
  return {
    async find(pid) {
      const [row] = await db.orm
        .select({ userId: socketSessions.userId })
        .from(socketSessions)
        .where(and(eq(socketSessions.pidHash, hash(pid)), gt(socketSessions.seenAt, limit())))
      return row?.userId
    },
    async save(pid, userId, explicit) {
      const now = new Date()
      const changes = { userId, explicit, createdAt: now, seenAt: now }
      await db.orm
        .insert(socketSessions)
        .values({ pidHash: hash(pid), ...changes })
        .onConflictDoUpdate({ target: socketSessions.pidHash, set: changes })
    },
    async delete(pid) {
      await db.orm.delete(socketSessions).where(eq(socketSessions.pidHash, hash(pid)))
    },
    async keep(pids) {
      const connected = inArray(socketSessions.pidHash, pids.map(hash))
      if (pids.length > 0) {
        await db.orm
          .update(socketSessions)
          .set({ seenAt: sql`now()` })
          .where(connected)
      }
      await db.orm.delete(socketSessions).where(lt(socketSessions.seenAt, limit()))
    },
  }
}

/** Notes every hour which sessions are connected. Gives what ends it. */
export function keepSessions(sessions: Sessions, connected: () => string[], log: Logger) {
  const timer = setInterval(() => {
    sessions.keep(connected()).catch((error: unknown) => {
      log.warn({ err: error }, 'sessions could not be noted as seen')
    })
  }, SEEN_EVERY)
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
export function returningAdapter(sessions: Sessions): typeof Adapter {
  return class extends Adapter {
    override async restoreSession(pid: string, offset: string): Promise<Session> {
      const data: SocketData = {}
      try {
        const userId = await sessions.find(pid)
        // No session: null makes socket.io begin a new one.
        if (userId === undefined) return null as unknown as Session
        data.returning = { userId, offset }
      } catch {
        // A new session would be for ever: this client does not log in again. Let it try again.
        data.unavailable = true
      }
      // Not the old socket id: the old socket may still be there and would take its rooms along.
      const sid = randomBytes(15).toString('base64url')
      return { sid, pid, rooms: [], data, missedPackets: [] }
    }
  }
}

function hash(pid: string): string {
  return createHash('sha256').update(pid).digest('hex')
}
