import { personDocument } from '../accounts/documents.ts'
import type { WireTimes } from '../wire/times.ts'
import { msgType } from './kinds.ts'
import type { ConversationRow, FriendPageRow, GroupPageRow } from './queries.ts'

/** Endpoint 36 with messages: `data`. */
export function friendPageDocument(
  userId: string,
  friendId: string,
  rows: FriendPageRow[],
  times: WireTimes,
) {
  const [nick, avatarUrl, friendNick, friendAvatarUrl, , readByMe, readByFriend] =
    rows[0] as FriendPageRow
  const me = personDocument(userId, nick, avatarUrl)
  const friend = personDocument(friendId, friendNick, friendAvatarUrl)
  return {
    friendNick: { _id: friendId, nick: friendNick },
    messageList: rows.map(([, , , , , , , _id, seq, senderId, kind, message, sentAt]) => {
      const mine = senderId === userId
      return {
        _id,
        userId: mine ? me : friend,
        friendId: mine ? friend : me,
        message,
        msgType: msgType(kind),
        time: times.long(sentAt),
        state: seq <= (mine ? readByFriend : readByMe) ? 1 : 0,
        __v: 0,
      }
    }),
  }
}

/** Endpoint 37 with messages: `data`. */
export function groupPageDocument(groupId: string, rows: GroupPageRow[], times: WireTimes) {
  const [groupName] = rows[0] as GroupPageRow
  return {
    groupNick: { _id: groupId, groupName },
    messageList: rows.map(([, , _id, , senderId, nick, avatarUrl, kind, message, sentAt]) => ({
      _id,
      groupId,
      userId: personDocument(senderId, nick, avatarUrl),
      message,
      msgType: msgType(kind),
      time: times.long(sentAt),
      __v: 0,
    })),
  }
}

/** One entry of endpoint 43. */
export function conversationDocument(row: ConversationRow, times: WireTimes) {
  const [conversation, _id, name, imgUrl, messageId, kind, message, sentAt, unreadMsgCount] = row
  const time = times.long(sentAt)
  // Difference 1: friends carry the count too, because the client adds to it (behaviour.md 10).
  return conversation === 'private'
    ? {
        _id,
        nick: name,
        imgUrl,
        lastMsg: { _id: messageId, message, msgType: msgType(kind), time },
        type: 'friendChat',
        unreadMsgCount,
      }
    : {
        _id,
        groupName: name,
        imgUrl,
        lastMsg: { message, msgType: msgType(kind), time },
        type: 'groupChat',
        unreadMsgCount,
      }
}
