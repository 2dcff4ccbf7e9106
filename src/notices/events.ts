import { z } from 'zod'
import { findUser } from '../accounts/queries.ts'
import type { Queryable } from '../database/connection.ts'
import { DONE, type Events, event, MALFORMED, NO_SUCH_TARGET } from '../realtime/events.ts'
import type { Speaking } from '../realtime/speaking.ts'
import { isId } from '../wire/ids.ts'
import type { Notices } from './notices.ts'

const oneId = z.tuple([z.string().refine(isId)])

/** Events 5, 6 and 7 of the interface document. */
export function noticeEvents(db: Queryable, speaking: Speaking, notices: Notices): Events {
  return {
    init_apply_notice: event(
      { as: 'userId' },
      z.tuple([z.unknown()]),
      async (socket, [userId], patience) => {
        if (socket.data.userId === undefined) {
          if (!isId(userId)) return MALFORMED
          const refusal = await speaking.begin(socket, userId, false, patience)
          if (refusal !== undefined) return refusal
        }
        await notices.answer(socket, socket.data.userId ?? '', patience)
        return DONE
      },
    ),

    apply_notice: event('user', oneId, async (_socket, [userId]) => {
      if ((await findUser(db, userId)) === undefined) return NO_SUCH_TARGET
      notices.applied(userId)
      return DONE
    }),

    agree_apply: event('user', oneId, async (_socket, [userId]) => {
      if ((await findUser(db, userId)) === undefined) return NO_SUCH_TARGET
      notices.agreedAsClientSays(userId)
      return DONE
    }),
  }
}
