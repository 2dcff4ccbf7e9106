import { friendStateNumber, personDocument } from '../accounts/documents.ts'
import type { FriendshipRow } from './queries.ts'

/** One entry of endpoint 9. */
export function friendDocument(userId: string, row: FriendshipRow) {
  const [id, friendId, nick, avatarUrl, sign, createdAt, state] = row
  return {
    _id: id,
    userId,
    friendId: { _id: friendId, nick, imgUrl: avatarUrl, sign },
    time: createdAt.toISOString(),
    state: friendStateNumber(state),
    __v: 0,
  }
}

/** One entry of endpoint 11. */
export function applicationDocument(userId: string, row: FriendshipRow) {
  const [id, friendId, nick, avatarUrl, , createdAt, state] = row
  return {
    _id: id,
    userId,
    friendId: personDocument(friendId, nick, avatarUrl),
    time: createdAt.toISOString(),
    state: friendStateNumber(state),
    __v: 0,
  }
}
