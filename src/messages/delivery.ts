import type { Logger } from 'pino'
import type { Database } from '../database/connection.ts'
import type { Server } from '../realtime/events.ts'
import { broadcastPair } from '../realtime/pair-broadcast.ts'
import { groupRoom, type Rooms, userRoom } from '../realtime/rooms.ts'
import { type LiveMessage, liveEvents, messagesBetween, newestPosition } from './live.ts'

/** Messages that one look for undelivered ones fetches. */
const FETCHED_TOGETHER = 500
/** How often it is looked for messages that others have stored, in milliseconds. */
const LOOKED_EVERY = 500

/**
 * Sends stored messages to whoever is connected to this process, each once, in order of position.
 * So `watermark` tells what every connected socket has been sent, whatever comes in between.
 */
export interface Delivery {
  /** Everything up to this position has been sent. */
  readonly watermark: number
  /**
   * Sends messages that were just stored, in order of position; before them whatever else was
   * stored meanwhile: by another process, or by a commit that nobody saw the end of.
   */
  deliver(stored: readonly LiveMessage[]): Promise<void>
  /** Sends what is visible now and was not sent yet. */
  catchUp(): Promise<void>
  /** Collects what is sent from now on, until `stop`. */
  record(): { readonly messages: readonly LiveMessage[]; stop(): void }
  /** Ends the looking for messages that others have stored. */
  stop(): void
}

export async function createDelivery(
  io: Server,
  db: Database,
  rooms: Rooms,
  log: Logger,
): Promise<Delivery> {
  const recordings = new Set<LiveMessage[]>()
  let watermark = await newestPosition(db)
  let turn: Promise<void> = Promise.resolve()
  let sentAt = -Infinity
  let looking = false
  let failing = false

  async function sendAll(messages: readonly LiveMessage[]): Promise<void> {
    // Another process may have changed the members.
    const versions = new Map<string, number>()
    for (const [, , , targetId, , , , , , , , version] of messages) {
      if (version !== null) versions.set(targetId, version)
    }
    if (versions.size > 0) await rooms.follow(db, versions)
    for (const message of messages) send(message)
    sentAt = performance.now()
  }

  function send(message: LiveMessage): void {
    const [position, conversation, senderId, targetId] = message
    // The sender's own devices get no echo: the client would show it as somebody else's.
    const receivers =
      conversation === 'private'
        ? { to: userRoom(targetId) }
        : { to: groupRoom(targetId), except: userRoom(senderId) }
    broadcastPair(io, receivers, liveEvents(message))
    for (const recording of recordings) recording.push(message)
    watermark = position
  }

  async function sendUpTo(position: number): Promise<void> {
    while (watermark < position) {
      const found = await messagesBetween(db, watermark, position, FETCHED_TOGETHER)
      await sendAll(found)
      if (found.length < FETCHED_TOGETHER) break
    }
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  // Nothing is lost: what is behind the watermark is looked for again and again.
  function postponed(error: unknown): void {
    if (!failing) log.warn({ err: error }, 'stored messages wait to be delivered')
    failing = true
  }

  async function catchUp(): Promise<void> {
    // Asked for outside the turn: messages that were just stored need not wait for the answer.
    const newest = await newestPosition(db)
    await inTurn(() => sendUpTo(newest))
    failing = false
  }

  const timer = setInterval(() => {
    // Whatever is sent meanwhile brings along what others stored before it.
    if (looking || performance.now() - sentAt < LOOKED_EVERY) return
    looking = true
    void catchUp()
      .catch(postponed)
      .finally(() => {
        looking = false
      })
  }, LOOKED_EVERY)

  return {
    get watermark() {
      return watermark
    },
    deliver: (stored) =>
      inTurn(async () => {
        const [first, last] = [stored[0], stored.at(-1)]
        if (first === undefined || last === undefined) return
        if (last[0] - watermark !== stored.length) return sendUpTo(last[0])
        await sendAll(stored)
      }).catch(postponed),
    catchUp,
    record() {
      const messages: LiveMessage[] = []
      recordings.add(messages)
      return { messages, stop: () => recordings.delete(messages) }
    },
    stop: () => clearInterval(timer),
  }
}
