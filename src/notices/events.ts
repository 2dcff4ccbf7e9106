import { z } from 'zod'
import { findUser } from '../accounts/queries.ts'
import { type Database, persistently } from '../database/connection.ts'
import { DONE, type Events, event, MALFORMED, NO_SUCH_TARGET } from '../realtime/events.ts'
import type { Speaking } from '../realtime/speaking.ts'
import { isId } from '../wire/ids.ts'
import type { Notices } from './notices.ts'
import { countNotices } from './queries.ts'

const oneId = z.tuple([z.string().refine(isId)])

/**
 * Events 5, 6 and 7 of the interface document.
 *
 * @param bookmark last argument of every event, see `messages/live.ts`
 */
export function noticeEvents(
  db: Database,
  speaking: Speaking,
  notices: Notices,
  bookmark: () => string,
): Events {
  return {
    init_apply_notice: event(z.tuple([z.unknown()]), async (socket, [userId], patience) => {
      if (socket.data.userId === undefined) {
        if (!isId(userId)) return MALFORMED
        const refusal = await speaking.begin(socket, userId, false, patience)
        if (refusal !== undefined) return refusal
      }
      const me = socket.data.userId ?? ''
      const counts = await persistently(db, () => countNotices(db, me), patience)
      socket.emit('init_apply_notice', counts, bookmark())
      return DONE
    }),

    apply_notice: event(oneId, async (_socket, [userId]) => {
      if ((await findUser(db, userId)) === undefined) return NO_SUCH_TARGET
      notices.applied(userId)
      return DONE
    }),

    agree_apply: event(oneId, async (_socket, [userId]) => {
      if ((await findUser(db, userId)) === undefined) return NO_SUCH_TARGET
      notices.agreedAsClientSays(userId)
      return DONE
    }),
  }
}
