import { z } from 'zod'
import type { Queryable } from '../database/connection.ts'
import type { Conversation } from '../database/schema.ts'
import { findGroup } from '../groups/queries.ts'
import {
  DONE,
  type EventAnswer,
  type EventOutcome,
  type Events,
  event,
  MALFORMED,
  NO_SUCH_TARGET,
  type Socket,
} from '../realtime/events.ts'
import { groupRoom } from '../realtime/rooms.ts'
import type { Speaking } from '../realtime/speaking.ts'
import { isId, newId } from '../wire/ids.ts'
import { isAcceptable, kindOf } from './kinds.ts'
import { knowsBothEnds, type NewMessage } from './queries.ts'
import type { MessageWriter } from './writer.ts'

const NOT_FRIENDS: EventAnswer = { status: 202, msg: '您与ta还不是好友哦' }
const NOT_A_MEMBER: EventAnswer = { status: 202, msg: '您还未加入该群哦' }

const id = z.string().refine(isId)
/** Of the client's `dataMsg` only this is believed (behaviour.md 8). */
const dataMsg = z.object({ msgType: z.int().min(0).max(8), message: z.string() })

/** Events 2, 3 and 4 of the interface document. */
export function messageEvents(db: Queryable, speaking: Speaking, writer: MessageWriter): Events {
  async function store(message: NewMessage, patience: number): Promise<EventAnswer> {
    if (await writer.store(message, patience)) {
      return { status: 200, msg: 'success', _id: message.id, time: message.sentAt.toISOString() }
    }
    if (!(await knowsBothEnds(db, message))) return NO_SUCH_TARGET
    return message.conversation === 'private' ? NOT_FRIENDS : NOT_A_MEMBER
  }

  const chat = (conversation: Conversation['kind']) =>
    event(
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
        const message: NewMessage = {
          id: newId(),
          conversation,
          senderId,
          targetId,
          kind,
          body: data.message,
          sentAt: new Date(),
        }
        return { later: store(message, patience) }
      },
    )

  return {
    private_chat: chat('private'),
    group_chat: chat('group'),
    join_group: event(z.tuple([id]), async (socket, [groupId]) => {
      // Rooms follow the database: a member is in the room already (behaviour.md 8).
      if (socket.rooms.has(groupRoom(groupId))) return DONE
      return (await findGroup(db, groupId)) === undefined ? NO_SUCH_TARGET : NOT_A_MEMBER
    }),
  }
}
