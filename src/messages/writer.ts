import type { Queryable } from '../database/connection.ts'
import type { InTurn } from '../realtime/turns.ts'
import { type NewMessage, storeMessages, type StoredRow } from './queries.ts'

/** Messages that one statement stores at most. */
const MOST_TOGETHER = 500

/** Stores messages in the order in which they are given. */
export interface MessageWriter {
  /** Whether it was stored; false when the sender may not write there. */
  store(message: NewMessage): Promise<boolean>
}

/**
 * Messages that arrive while others are being committed are stored together, by the next
 * statement; a single one never waits. One statement at a time keeps everything in order.
 *
 * @param inTurn between whose works memberships may change
 * @param deliver called for each message after its commit, in order of position
 */
export function createMessageWriter(
  db: Queryable,
  inTurn: InTurn,
  deliver: (message: NewMessage, row: StoredRow) => void,
): MessageWriter {
  interface Waiting {
    readonly message: NewMessage
    readonly resolve: (stored: boolean) => void
    readonly reject: (error: unknown) => void
  }
  let queue: Waiting[] = []
  let writing = false

  async function write(): Promise<void> {
    writing = true
    while (queue.length > 0) await inTurn(writeBatch)
    writing = false
  }

  async function writeBatch(): Promise<void> {
    const batch = queue.slice(0, MOST_TOGETHER)
    queue = queue.slice(MOST_TOGETHER)
    try {
      const rows = await storeMessages(
        db,
        batch.map(({ message }) => message),
      )
      const stored = new Set<Waiting>()
      for (const row of rows) {
        const waiting = batch[row[0] - 1] as Waiting
        deliver(waiting.message, row)
        stored.add(waiting)
      }
      for (const waiting of batch) waiting.resolve(stored.has(waiting))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return {
    store: (message) =>
      new Promise((resolve, reject) => {
        queue.push({ message, resolve, reject })
        if (!writing) void write()
      }),
  }
}
