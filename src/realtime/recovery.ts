import type { Logger } from 'pino'
import { type Database, persistently } from '../database/connection.ts'
import type { Delivery } from '../messages/delivery.ts'
import { type LiveMessage, missedMessages, sendMessage, sendUnread } from '../messages/live.ts'
import type { Notices } from '../notices/notices.ts'
import type { Socket } from './events.ts'
import type { PendingEvent } from './listening.ts'
import type { Rooms } from './rooms.ts'
import { pidOf, type Sessions } from './sessions.ts'

/** Most bytes of message bodies that a returning socket is sent. */
const MOST_BYTES = 2 * 1024 * 1024
/** A socket waits this long for a database that is away, in milliseconds. */
const PATIENCE = 3_600_000

/** A bookmark: what the client's last event was. */
interface Bookmark {
  /** Everything up to here has arrived. */
  readonly position: number
  /** A message that was shown, but not yet counted as unread. */
  readonly halfSeen: number | undefined
}

/** Brings returning sockets back to their users, with what they missed (behaviour.md 8). */
export interface Recovery {
  /**
   * Does nothing for a socket that is new. Never throws.
   *
   * @param pending what the client had to say on coming back
   */
  recover(socket: Socket, pending: readonly PendingEvent[]): Promise<void>
}

/** @param limit messages that a returning socket is sent at most; the newest */
export function createRecovery(
  db: Database,
  rooms: Rooms,
  sessions: Sessions,
  delivery: Delivery,
  notices: Pick<Notices, 'show'>,
  limit: number,
  log: Logger,
): Recovery {
  async function comeBack(
    socket: Socket,
    offset: string,
    pending: readonly PendingEvent[],
  ): Promise<void> {
    // Asked for again: what its earlier socket sent last may have changed it.
    const session = await sessions.find(pidOf(socket))
    if (session === undefined || isAbandoned(session.userId, pending)) return
    const { userId, startPosition } = session
    // With a token the socket speaks for the token's user alone.
    if (socket.data.caller !== undefined && socket.data.caller !== userId) return
    const bookmark = await understood(parseBookmark(offset), startPosition)
    let recording = delivery.record()
    try {
      // Asked together with the rooms: a right that is lost meanwhile has both asked for again.
      const load = () => {
        recording.stop()
        recording = delivery.record()
        // What is beyond the watermark will be sent to everybody in the rooms.
        if (bookmark.position >= delivery.watermark) return Promise.resolve([])
        return missedMessages(db, userId, bookmark.position, limit, MOST_BYTES)
      }
      await rooms.enter(socket, userId, load, (groupIds, missed) => {
        // One step, without an await, from the last missed message to the first live one.
        const upTo = missed.at(-1)?.[0] ?? bookmark.position
        const fresh = recording.messages.filter(([position]) => position > upTo)
        for (const message of [...missed, ...fresh]) {
          if (message[0] > delivery.watermark || !isFor(message, userId, groupIds)) continue
          if (message[0] === bookmark.halfSeen) sendUnread(socket, message)
          else sendMessage(socket, message)
        }
      })
      // Counted once it hears of what follows, so that nothing falls in between.
      await notices.show(socket, userId)
    } finally {
      recording.stop()
    }
  }

  /**
   * The bookmark, but not before the session's start: until then the socket spoke for another, or
   * for nobody. If it is none that this database gave out, where this process is.
   */
  async function understood(bookmark: Bookmark | undefined, start: number): Promise<Bookmark> {
    const newest = Math.max(start, bookmark?.halfSeen ?? bookmark?.position ?? 0)
    // Another process may have sent the client what this one has yet to send.
    if (newest > delivery.watermark) await delivery.catchUp()
    if (bookmark === undefined || newest > delivery.watermark) {
      return { position: delivery.watermark, halfSeen: undefined }
    }
    return { ...bookmark, position: Math.max(bookmark.position, start) }
  }

  return {
    async recover(socket, pending) {
      const { returning } = socket.data
      if (returning === undefined) return
      delete socket.data.returning
      await clientHasSpoken(socket)
      try {
        const comingBack = () => comeBack(socket, returning, pending)
        if (socket.connected) await persistently(db, comingBack, PATIENCE, () => socket.connected)
      } catch (error) {
        log.warn({ err: error, socket: socket.id }, 'a socket could not be brought back yet')
        // The client keeps its session and its bookmark, and tries again.
        socket.conn.close()
      }
    },
  }
}

/**
 * Resolves when everything that the client had to say on coming back has arrived: a logout that was
 * typed offline must come before what was missed. What it buffered it sends once it has taken in
 * that it is connected, which may be after its answer to a ping that came along; but before the
 * next one.
 */
async function clientHasSpoken(socket: Socket): Promise<void> {
  await answersPing(socket)
  if (socket.connected) await answersPing(socket)
}

/** Resolves when the client has answered a ping, or is gone. */
function answersPing({ conn }: Socket): Promise<void> {
  // It may be gone already, and then neither event comes.
  if (conn.readyState === 'closed') return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      conn.off('heartbeat', done)
      conn.off('close', done)
      resolve()
    }
    conn.on('heartbeat', done)
    conn.on('close', done)
    ;(conn as unknown as { sendPacket(type: string): void }).sendPacket('ping')
  })
}

/** Whether the client logged out, or in as another, while it was away. */
function isAbandoned(userId: string, pending: readonly PendingEvent[]): boolean {
  return pending.some(
    ({ name, args }) => name === 'logout' || (name === 'login' && args[0] !== userId),
  )
}

/** Reads the last argument of the client's last event; undefined when it is none of ours. */
function parseBookmark(offset: string): Bookmark | undefined {
  const [, digits, half] = /^(\d{1,15})(-?)$/.exec(offset) ?? []
  if (digits === undefined) return undefined
  const position = Number(digits)
  return half === '-'
    ? { position: position - 1, halfSeen: position }
    : { position, halfSeen: undefined }
}

function isFor(message: LiveMessage, userId: string, groupIds: ReadonlySet<string>): boolean {
  const [, conversation, senderId, targetId] = message
  if (senderId === userId) return false
  return conversation === 'private' ? targetId === userId : groupIds.has(targetId)
}
