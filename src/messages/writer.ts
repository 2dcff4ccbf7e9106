import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../fault.ts'
import { type Database, isPassing } from '../database/connection.ts'
import type { Turns } from '../realtime/turns.ts'
import type { Delivery } from './delivery.ts'
import type { LiveMessage } from './live.ts'
import { type NewMessage, storeMessages } from './queries.ts'

/** Messages, and characters of theirs, that one statement stores at most. */
const MOST_TOGETHER = 500
const MOST_CHARACTERS = 4 * 1024 * 1024
/** Weight that may wait; beyond it messages are refused until the database keeps up. */
const MOST_WAITING = 64 * 1024 * 1024
/** A message weighs as much as its characters and this: about what it takes besides them. */
const WEIGHT_WITHOUT_BODY = 512
/** How often it is looked for messages that have waited too long, in milliseconds. */
const LOOKED_EVERY = 250
/** For how many milliseconds what still waits is tried when the server stops. */
const PATIENCE_AT_END = 1_500

/** `refused`: the sender may not write there; `too many`: more wait than memory should hold. */
export type Outcome = 'stored' | 'refused' | 'too many'

/** Stores messages in the order in which they are given, then sends them. */
export interface MessageWriter {
  /**
   * Stores a message and sends it.
   *
   * @param patience milliseconds to try again for while the database is away
   * @throws when it could not be stored, or when it is not known whether it was
   */
  store(message: NewMessage, patience: number): Promise<Outcome>
  /**
   * Resolves when nothing waits any more, or soon without the database's answer; nothing has much
   * patience from now on.
   */
  finish(): Promise<void>
}

interface Waiting {
  readonly message: NewMessage
  readonly deadline: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
  /** It may have been stored: the answer to an earlier statement did not come. */
  tried: boolean
  /** It was in a statement that PostgreSQL will not have, and must not take others along. */
  suspect: boolean
}

/**
 * Messages that arrive while others are being committed are stored together, by the next
 * statement; a single one never waits. One statement at a time keeps everything in order. While
 * the database is away it is tried again: the messages' ids make a repetition safe.
 *
 * @param turns between which memberships may change
 */
export function createMessageWriter(db: Database, turns: Turns, delivery: Delivery): MessageWriter {
  let queue: Waiting[] = []
  let batch: Waiting[] = []
  let waitingWeight = 0
  let writing: Promise<void> | undefined
  let lastDeadline = Infinity
  let watch: NodeJS.Timeout | undefined

  function leave(waiting: Waiting): void {
    waitingWeight -= weightOf(waiting)
  }

  async function write(): Promise<void> {
    watch = setInterval(giveUpLate, LOOKED_EVERY)
    while (queue.length > 0) {
      const endTurn = await turns.take()
      const outcome = await writeBatch().finally(endTurn)
      if (outcome === 'away') await Promise.race([db.returned(), pause(LOOKED_EVERY)])
    }
    clearInterval(watch)
    writing = undefined
  }

  async function writeBatch(): Promise<'written' | 'away'> {
    batch = takeBatch(queue)
    queue = queue.slice(batch.length)
    try {
      await storeAndSend()
      batch.forEach(leave)
      batch = []
      return 'written'
    } catch (error) {
      return putBack(error) ? 'away' : 'written'
    }
  }

  async function storeAndSend(): Promise<void> {
    const messages = batch.map(({ message }) => message)
    const mayBeThere = batch.some(({ tried }) => tried)
    const rows = await storeMessages(db, messages, mayBeThere)
    const stored = new Set<Waiting>()
    const live = rows.map(([ordinal, position, ...shown]): LiveMessage => {
      const waiting = batch[ordinal - 1] as Waiting
      stored.add(waiting)
      const { conversation, senderId, targetId, kind, body, sentAt } = waiting.message
      return [position, conversation, senderId, targetId, kind, body, sentAt, ...shown]
    })
    await delivery.deliver(live)
    for (const waiting of batch) waiting.resolve(stored.has(waiting) ? 'stored' : 'refused')
  }

  function putBack(error: unknown): boolean {
    const passing = isPassing(error)
    if (passing || batch.length > 1) {
      for (const waiting of batch) {
        waiting.tried = true
        waiting.suspect ||= !passing
      }
      queue = [...batch, ...queue]
    } else {
      for (const waiting of batch) waiting.reject(error)
      batch.forEach(leave)
    }
    batch = []
    giveUpLate()
    return passing && queue.length > 0
  }

  function giveUpLate(): void {
    const now = performance.now()
    const isLate = ({ deadline }: Waiting) => Math.min(deadline, lastDeadline) <= now
    // What is in a statement right now may be stored all the same; then it is sent, too.
    for (const { reject } of [...batch, ...queue].filter(isLate)) {
      reject(new Fault('the database does not answer'))
    }
    queue.filter(isLate).forEach(leave)
    queue = queue.filter((waiting) => !isLate(waiting))
  }

  return {
    store: (message, patience) =>
      new Promise((resolve, reject) => {
        if (waitingWeight > MOST_WAITING) {
          resolve('too many')
          return
        }
        const deadline = performance.now() + patience
        const waiting = { message, deadline, resolve, reject, tried: false, suspect: false }
        waitingWeight += weightOf(waiting)
        queue.push(waiting)
        writing ??= write()
      }),
    async finish() {
      lastDeadline = performance.now() + PATIENCE_AT_END
      // A statement that hangs must not keep the server from ending.
      await Promise.race([
        writing,
        pause(PATIENCE_AT_END + LOOKED_EVERY, undefined, { ref: false }),
      ])
      clearInterval(watch)
    },
  }
}

function weightOf({ message }: Waiting): number {
  return message.body.length + WEIGHT_WITHOUT_BODY
}

function takeBatch(queue: readonly Waiting[]): Waiting[] {
  if (queue[0]?.suspect === true) return queue.slice(0, 1)
  let characters = 0
  const end = queue.findIndex(({ message }, index) => {
    characters += message.body.length
    return index >= MOST_TOGETHER || (index > 0 && characters > MOST_CHARACTERS)
  })
  return queue.slice(0, end === -1 ? queue.length : end)
}
