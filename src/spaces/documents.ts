import { personDocument } from '../accounts/documents.ts'
import type { WireTimes } from '../wire/times.ts'
import type { CommentRow, Feed, LikeRow } from './feed.ts'
import type { OwnSpaceRow } from './queries.ts'

/** `type` on the wire of what stands under a space. */
const COMMENT = 0
const REPLY = 1

/** Endpoint 29: `data`, as `userId` sees it. */
export function feedDocument(userId: string, feed: Feed, times: WireTimes) {
  const people = new Map(feed.people.map((row) => [row[0], personDocument(...row)]))
  // Everybody whom the rows name is among the people.
  const person = (id: string) => people.get(id) as ReturnType<typeof personDocument>
  const minute = (text: string) => times.minute(new Date(text))

  const likesOf = grouped(feed.likes, ([, spaceId]) => spaceId)
  // Comments stand under their space, replies under their comment.
  const under = grouped(feed.comments, ([, spaceId, parentId]) => parentId ?? spaceId)

  const likeDocument = ([_id, , likerId]: LikeRow) => {
    return { _id, userId: { _id: likerId, nick: person(likerId).nick } }
  }
  const commentDocument = (row: CommentRow) => {
    const [_id, spaceId, , authorId, recipientId, textarea, createdAt] = row
    return {
      _id,
      userId: person(authorId),
      spaceId,
      type: COMMENT,
      textarea,
      fromId: authorId,
      toId: recipientId,
      time: minute(createdAt),
      __v: 0,
    }
  }
  const replyDocument = (row: CommentRow) => {
    const [_id, spaceId, spaceCommentId, authorId, recipientId, textarea, createdAt] = row
    return {
      _id,
      userId: person(authorId),
      spaceId,
      spaceCommentId,
      type: REPLY,
      textarea,
      fromId: person(authorId),
      toId: person(recipientId),
      time: minute(createdAt),
      __v: 0,
    }
  }

  return feed.spaces.map(([_id, authorId, textDesc, photos, createdAt]) => {
    const likes = likesOf(_id)
    const comments = under(_id)
    return {
      _id,
      userId: person(authorId),
      textDesc,
      photos,
      time: minute(createdAt),
      isLike: likes.some(([, , likerId]) => likerId === userId),
      likeList: likes.map(likeDocument),
      commentList: comments.map(commentDocument),
      replyList: comments.map(([commentId]) => under(commentId).map(replyDocument)),
    }
  })
}

/** Endpoint 31: `data`. */
export function ownSpacesDocument(userId: string, rows: readonly OwnSpaceRow[], times: WireTimes) {
  const [waifCode, nick, avatarUrl] = rows[0] as OwnSpaceRow
  const author = personDocument(userId, nick, avatarUrl)
  return {
    spaces: rows
      .filter(([, , , id]) => id !== null)
      .map(([, , , _id, textDesc, photos, createdAt]) => ({
        _id,
        userId: author,
        textDesc,
        photos,
        time: times.minute(createdAt),
        __v: 0,
      })),
    user: { _id: userId, WaiFCode: waifCode, nick, imgUrl: avatarUrl },
  }
}

/** Rows by key, each group in the order of the rows. */
function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string) {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return (key: string): readonly Row[] => groups.get(key) ?? []
}
