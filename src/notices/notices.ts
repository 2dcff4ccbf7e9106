import type { Logger } from 'pino'
import { type Database, persistently } from '../database/connection.ts'
import type { Server } from '../realtime/events.ts'
import { userRoom } from '../realtime/rooms.ts'
import { countNotices } from './queries.ts'

/** An `agree_apply` that the client sends this soon after ours is the same news (behaviour.md 8). */
const SAME_NEWS = 2_000
/** Milliseconds to try again for while the database is away. */
const PATIENCE = 60_000

/** Tells people, on all their devices, of applications. Never throws: the database has the truth. */
export interface Notices {
  /** Somebody's waiting applications have changed: `apply_notice` with the counts. */
  applied(userId: string): void
  /** Somebody's application was agreed to: `agree_apply`. */
  agreed(userId: string): void
  /** The same, asked for by a client; left out when it repeats what was just told. */
  agreedAsClientSays(userId: string): void
}

export function createNotices(
  io: Server,
  db: Database,
  log: Logger,
  bookmark: () => string,
): Notices {
  const toldOf = new Map<string, number>()

  function tellAgreed(userId: string): void {
    // The explicit null keeps the bookmark out of the client's first parameter.
    io.to(userRoom(userId)).emit('agree_apply', null, bookmark())
  }

  return {
    applied(userId) {
      persistently(db, () => countNotices(db, userId), PATIENCE).then(
        (counts) => io.to(userRoom(userId)).emit('apply_notice', counts, bookmark()),
        (error: unknown) => log.warn({ err: error }, 'notice counts are not available'),
      )
    },
    agreed(userId) {
      const now = performance.now()
      for (const [id, time] of toldOf) {
        if (now - time < SAME_NEWS) break
        toldOf.delete(id)
      }
      toldOf.delete(userId)
      toldOf.set(userId, now)
      tellAgreed(userId)
    },
    agreedAsClientSays(userId) {
      const told = toldOf.get(userId)
      if (told === undefined || performance.now() - told >= SAME_NEWS) tellAgreed(userId)
    },
  }
}
