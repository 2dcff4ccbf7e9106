import { setTimeout as pause } from 'node:timers/promises'
import { isPassing, type Queryable } from '../database/connection.ts'
import type { InTurn } from '../realtime/turns.ts'
import type { Delivery } from './delivery.ts'
import type { LiveMessage } from './live.ts'
import { type NewMessage, storeMessages } from './queries.ts'

/** Messages, and characters of theirs, that one statement stores at most. */
const MOST_TOGETHER = 500
const MOST_CHARACTERS = 4 * 1024 * 1024
/** Characters that may wait; beyond them messages are refused until the database keeps up. */
const MOST_WAITING = 64 * 1024 * 1024
/** A batch that the database keeps refusing is tried this long, and this often, in milliseconds. */
const TRIED_FOR = 4_000
const TRIED_EVERY = 100

/** Stores messages in the order in which they are given, then sends them. */
export interface MessageWriter {
  /**
   * Whether it was stored; false when the sender may not write there.
   *
   * @throws when it could not be stored, or when it is not known whether it was
   */
  store(message: NewMessage): Promise<boolean>
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
}

interface Waiting {
  readonly message: NewMessage
  readonly since: number
  readonly resolve: (stored: boolean) => void
  readonly reject: (error: unknown) => void
}

/**
 * Messages that arrive while others are being committed are stored together, by the next
 * statement; a single one never waits. One statement at a time keeps everything in order.
 *
 * @param inTurn between whose works memberships may change
 */
export function createMessageWriter(
  db: Queryable,
  inTurn: InTurn,
  delivery: Delivery,
): MessageWriter {
  let queue: Waiting[] = []
  let waitingCharacters = 0
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    while (queue.length > 0) await inTurn(writeBatch)
    writing = undefined
  }

  async function writeBatch(): Promise<void> {
    const batch = takeBatch(queue)
    queue = queue.slice(batch.length)
    await storeAndSend(batch)
    for (const { message } of batch) waitingCharacters -= message.body.length
  }

  async function storeAndSend(batch: Waiting[]): Promise<void> {
    try {
      const messages = batch.map(({ message }) => message)
      const rows = await persistently(batch, (again) => storeMessages(db, messages, again))
      const stored = new Set<Waiting>()
      const live = rows.map(([ordinal, position, ...shown]): LiveMessage => {
        const waiting = batch[ordinal - 1] as Waiting
        stored.add(waiting)
        const { conversation, senderId, targetId, kind, body, sentAt } = waiting.message
        return [position, conversation, senderId, targetId, kind, body, sentAt, ...shown]
      })
      await delivery.deliver(live)
      for (const waiting of batch) waiting.resolve(stored.has(waiting))
    } catch (error) {
      // One message that PostgreSQL will not have must not take its neighbours along.
      if (batch.length > 1 && !isPassing(error)) {
        for (const waiting of batch) await storeAndSend([waiting])
        return
      }
      for (const { reject } of batch) reject(error)
      // A commit whose answer was lost may have stored them all the same.
      void delivery.catchUp()
    }
  }

  return {
    store: (message) =>
      new Promise((resolve, reject) => {
        if (waitingCharacters > MOST_WAITING) {
          reject(new Error('too many messages wait to be stored'))
          return
        }
        waitingCharacters += message.body.length
        queue.push({ message, since: performance.now(), resolve, reject })
        writing ??= write()
      }),
    async idle() {
      await writing
    },
  }
}

function takeBatch(queue: readonly Waiting[]): Waiting[] {
  let characters = 0
  const end = queue.findIndex(({ message }, index) => {
    characters += message.body.length
    return index >= MOST_TOGETHER || (index > 0 && characters > MOST_CHARACTERS)
  })
  return queue.slice(0, end === -1 ? queue.length : end)
}

/** Tries again while the database is away: the messages' ids make a repetition safe. */
async function persistently<Result>(
  [first]: readonly Waiting[],
  work: (again: boolean) => Promise<Result>,
): Promise<Result> {
  const deadline = (first?.since ?? 0) + TRIED_FOR
  for (let again = false; ; again = true) {
    try {
      return await work(again)
    } catch (error) {
      if (!isPassing(error) || performance.now() + TRIED_EVERY > deadline) throw error
      await pause(TRIED_EVERY)
    }
  }
}
