import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../fault.ts'
import { type Database, isPassing } from '../database/connection.ts'
import type { InTurn } from '../realtime/turns.ts'
import type { Delivery } from './delivery.ts'
import type { LiveMessage } from './live.ts'
import { type NewMessage, storeMessages } from './queries.ts'

/** Messages, and characters of theirs, that one statement stores at most. */
const MOST_TOGETHER = 500
const MOST_CHARACTERS = 4 * 1024 * 1024
/** Characters that may wait; beyond them messages are refused until the database keeps up. */
const MOST_WAITING = 64 * 1024 * 1024
/** How often it is looked for messages that have waited too long, in milliseconds. */
const LOOKED_EVERY = 250
/** For how many milliseconds what still waits is tried when the server stops. */
const PATIENCE_AT_END = 1_500

/** Stores messages in the order in which they are given, then sends them. */
export interface MessageWriter {
  /**
   * Whether it was stored; false when the sender may not write there.
   *
   * @param patience milliseconds to try again for while the database is away
   * @throws when it could not be stored, or when it is not known whether it was
   */
  store(message: NewMessage, patience: number): Promise<boolean>
  /** Resolves when nothing waits any more; nothing has much patience from now on. */
  finish(): Promise<void>
}

interface Waiting {
  readonly message: NewMessage
  readonly deadline: number
  readonly resolve: (stored: boolean) => void
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
 * @param inTurn between whose works memberships may change
 */
export function createMessageWriter(
  db: Database,
  inTurn: InTurn,
  delivery: Delivery,
): MessageWriter {
  let queue: Waiting[] = []
  let batch: Waiting[] = []
  let waitingCharacters = 0
  let writing: Promise<void> | undefined
  let lastDeadline = Infinity

  function leave(waiting: Waiting): void {
    waitingCharacters -= waiting.message.body.length
  }

  async function write(): Promise<void> {
    const watch = setInterval(giveUpLate, LOOKED_EVERY)
    while (queue.length > 0) {
      const outcome = await inTurn(writeBatch)
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
    for (const waiting of batch) waiting.resolve(stored.has(waiting))
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
        if (waitingCharacters > MOST_WAITING) {
          reject(new Fault('too many messages wait to be stored'))
          return
        }
        waitingCharacters += message.body.length
        const deadline = performance.now() + patience
        queue.push({ message, deadline, resolve, reject, tried: false, suspect: false })
        writing ??= write()
      }),
    async finish() {
      lastDeadline = performance.now() + PATIENCE_AT_END
      await writing
    },
  }
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
