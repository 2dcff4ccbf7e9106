import { friendStateNumber, personDocument } from '../accounts/documents.ts'
import type { WireTimes } from '../wire/times.ts'
import type { ApplicationRow, FriendRow } from './queries.ts'

/** One entry of endpoint 9. */
export function friendDocument(userId: string, row: FriendRow, times: WireTimes) {
  const [id, friendId, nick, avatarUrl, sign, createdAt] = row
  return {
    _id: id,
    userId,
    friendId: { _id: friendId, nick, imgUrl: avatarUrl, sign },
    time: times.iso(createdAt),
    state: friendStateNumber('accepted'),
    __v: 0,
  }
}

/** One entry of endpoint 11. */
export function applicationDocument(userId: string, row: ApplicationRow, times: WireTimes) {
  const [id, friendId, nick, avatarUrl, createdAt, state] = row
  return {
    _id: id,
    userId,
    friendId: personDocument(friendId, nick, avatarUrl),
    time: times.iso(createdAt),
    state: friendStateNumber(state),
    __v: 0,
  }
}
