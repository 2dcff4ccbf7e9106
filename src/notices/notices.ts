import type { Logger } from 'pino'
import { openChannel } from '../database/channel.ts'
import { type Database, persistently } from '../database/connection.ts'
import type { Receiver } from '../messages/live.ts'
import type { Server } from '../realtime/events.ts'
import { userRoom } from '../realtime/rooms.ts'
import { countNotices } from './queries.ts'

/** An `agree_apply` that the client sends this soon after ours is the same news (behaviour.md 8). */
const SAME_NEWS = 2_000
/** Milliseconds to try again for while the database is away. */
const PATIENCE = 60_000

/** Tells people, on all their devices, of applications. Only `answer` throws: the database has the truth. */
export interface Notices {
  /** Somebody's waiting applications have changed: `apply_notice` with the counts. */
  applied(userId: string): void
  /** Somebody's application was agreed to: `agree_apply`. */
  agreed(userId: string): void
  /** The same, asked for by a client; left out when it repeats what was just told. */
  agreedAsClientSays(userId: string): void
  /** Sends somebody's counts to one socket of theirs: `apply_notice`. */
  show(socket: Receiver, userId: string): Promise<void>
  /**
   * The same as an answer: `init_apply_notice`.
   *
   * @param patience milliseconds to try again for while the database is away
   * @throws when they could not be counted by then
   */
  answer(socket: Receiver, userId: string, patience: number): Promise<void>
  /** Hears nothing more of what other processes tell. */
  stop(): void
}

/** @param bookmark last argument of every event, see `messages/live.ts` */
export function createNotices(
  io: Server,
  db: Database,
  log: Logger,
  bookmark: () => string,
): Notices {
  const toldOf = new Map<string, number>()
  const counting = new Map<string, Promise<void>>()
  /** Whose next count, for all their devices, has not begun: it will see what is news now. */
  const awaited = new Set<string>()

  /** Counts one after the other for each person, so that what is sent last is what was read last. */
  function sendCounts(
    receiver: Receiver,
    event: 'apply_notice' | 'init_apply_notice',
    userId: string,
    patience: number,
  ): Promise<void> {
    const count = () => {
      awaited.delete(userId)
      return persistently(db, () => countNotices(db, userId), patience)
    }
    const mine = (counting.get(userId) ?? Promise.resolve())
      .then(count, count)
      .then((counts) => void receiver.emit(event, counts, bookmark()))
      .finally(() => {
        if (counting.get(userId) === mine) counting.delete(userId)
      })
    counting.set(userId, mine)
    return mine
  }

  function show(receiver: Receiver, userId: string): Promise<void> {
    return sendCounts(receiver, 'apply_notice', userId, PATIENCE).catch((error: unknown) =>
      log.warn({ err: error }, 'notice counts are not available'),
    )
  }

  function tellAgreed(userId: string): void {
    // The explicit null keeps the bookmark out of the client's first parameter.
    io.to(userRoom(userId)).emit('agree_apply', null, bookmark())
  }

  function wasTold(userId: string): boolean {
    const told = toldOf.get(userId)
    return told !== undefined && performance.now() - told < SAME_NEWS
  }

  /** Tells those who are connected to this process. */
  const tell = {
    applied(userId: string) {
      if (awaited.has(userId)) return
      void show(io.to(userRoom(userId)), userId)
      awaited.add(userId)
    },
    agreed(userId: string) {
      const now = performance.now()
      for (const [id, time] of toldOf) {
        if (now - time < SAME_NEWS) break
        toldOf.delete(id)
      }
      toldOf.delete(userId)
      toldOf.set(userId, now)
      tellAgreed(userId)
    },
    clientSaid(userId: string) {
      if (!wasTold(userId)) tellAgreed(userId)
    },
  }
  type News = keyof typeof tell

  const channel = openChannel(db, log, (text) => {
    const [news = '', userId = ''] = text.split(' ')
    if (Object.hasOwn(tell, news)) tell[news as News](userId)
  })

  /** Tells those who are connected here, and has the other processes tell theirs. */
  function spread(news: News, userId: string): void {
    tell[news](userId)
    persistently(db, () => channel.publish(`${news} ${userId}`), PATIENCE).catch((error: unknown) =>
      log.warn({ err: error }, 'other processes were not told of a notice'),
    )
  }

  return {
    applied: (userId) => spread('applied', userId),
    agreed: (userId) => spread('agreed', userId),
    agreedAsClientSays(userId) {
      if (!wasTold(userId)) spread('clientSaid', userId)
    },
    show,
    answer: (socket, userId, patience) => sendCounts(socket, 'init_apply_notice', userId, patience),
    stop: () => channel.close(),
  }
}
