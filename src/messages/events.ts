import { z } from 'zod'
import type { Queryable } from '../database/connection.ts'
import type { Conversation } from '../database/schema.ts'
import { findGroup, findGroupHome } from '../groups/queries.ts'
import {
  DONE,
  type EventAnswer,
  type EventOutcome,
  type Events,
  event,
  MALFORMED,
  NO_SUCH_TARGET,
  type Socket,
  TOO_MANY,
} from '../realtime/events.ts'
import { groupRoom, type Rooms } from '../realtime/rooms.ts'
import type { Speaking } from '../realtime/speaking.ts'
import type { Who } from '../wire/access.ts'
import { isId, newId } from '../wire/ids.ts'
import type { Limit } from '../wire/limits.ts'
import { gate } from './gate/gate.ts'
import { isAcceptable, kindOf } from './kinds.ts'
import { knowsBothEnds, type NewMessage } from './queries.ts'
import type { MessageWriter } from './writer.ts'

const NOT_FRIENDS: EventAnswer = { status: 202, msg: '您与ta还不是好友哦' }
const NOT_A_MEMBER: EventAnswer = { status: 202, msg: '您还未加入该群哦' }

const id = z.string().refine(isId)
/** Of the client's `dataMsg` only this is believed (behaviour.md 8). */
const dataMsg = z.object({ msgType: z.int().min(0).max(8), message: z.string() })

/** Of a user's messages each counts as many as it has begun of these, in UTF-16 units. */
const COUNTED_AS_ONE = 4_096

/**
 * Events 2, 3 and 4 of the interface document.
 *
 * @param limit messages that each user may send
 */
export function messageEvents(
  db: Queryable,
  rooms: Rooms,
  speaking: Speaking,
  writer: MessageWriter,
  limit: Limit,
): Events {
  async function store(message: NewMessage, patience: number): Promise<EventAnswer> {
    const outcome = await writer.store(message, patience)
    if (outcome === 'too many') return TOO_MANY
    if (outcome === 'stored') {
      return { status: 200, msg: 'success', _id: message.id, time: message.sentAt.toISOString() }
    }
    if (!(await knowsBothEnds(db, message))) return NO_SUCH_TARGET
    return message.conversation === 'private' ? NOT_FRIENDS : NOT_A_MEMBER
  }

  const chat = (conversation: Conversation['kind'], who: Who) =>
    event(
      { as: 'uId', who, otherwise: 202 },
      z.tuple([dataMsg, id, id]),
      async (
        socket: Socket,
        [data, senderId, targetId],
        patience: number,
      ): Promise<EventOutcome> => {
        const kind = kindOf(data.msgType)
        if (kind === undefined || !isAcceptable(kind, data.message)) return MALFORMED
        const refusal = await speaking.as(socket, senderId, patience)
        if (refusal !== undefined) return refusal
        const verdict = limit.take(senderId, Math.ceil((data.message.length + 1) / COUNTED_AS_ONE))
        if (verdict === 'far over') socket.conn.close()
        if (verdict !== 'within') return TOO_MANY
        const body = gate(kind, data.message)
        if (body === undefined) return MALFORMED
        const message: NewMessage = {
          id: newId(),
          conversation,
          senderId,
          targetId,
          kind,
          body,
          sentAt: new Date(),
        }
        return { later: store(message, patience) }
      },
    )

  return {
    private_chat: chat('private', { friend: 'fId' }),
    group_chat: chat('group', { member: 'gId' }),
    join_group: event(
      { who: { member: 'gId' }, otherwise: 202 },
      z.tuple([id]),
      async (socket, [groupId]) => {
        const { userId } = socket.data
        if (userId === undefined) {
          return (await findGroup(db, groupId)) === undefined ? NO_SUCH_TARGET : NOT_A_MEMBER
        }
        const group = await findGroupHome(db, groupId, userId)
        const isMember = group?.[7] === 'member'
        // Another server process may have changed the members; nothing was said since.
        if (isMember !== socket.rooms.has(groupRoom(groupId))) await rooms.enter(socket, userId)
        if (isMember) return DONE
        return group === undefined ? NO_SUCH_TARGET : NOT_A_MEMBER
      },
    ),
  }
}
