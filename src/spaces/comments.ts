import { type Queryable, statement } from '../database/connection.ts'
import { newId } from '../wire/ids.ts'
import { TAKES_PART } from './queries.ts'

/** A comment that waits to be stored. */
export interface NewComment {
  readonly spaceId: string
  readonly authorId: string
  readonly body: string
}

/** A reply that waits to be stored. */
export interface NewReply extends NewComment {
  /** The comment that it answers, of the same space. */
  readonly parentId: string
  /** Whom it addresses. */
  readonly recipientId: string
}

// What they refer to is locked against deletion, so that it is refused rather than an error.
const insertedComment = statement<[id: string]>(
  'comments_insert',
  `insert into comments (id, space_id, author_id, recipient_id, body)
  select $3, s.id, $2::text, $2::text, $4
  from spaces s
  where s.id = $1 and ${TAKES_PART}
  for key share
  returning id`,
)
const insertedReply = statement<[id: string]>(
  'comments_insert_reply',
  `insert into comments (id, space_id, parent_id, author_id, recipient_id, body)
  select $3, s.id, parent.id, $2::text, recipient.id, $4
  from spaces s
  join comments parent on parent.space_id = s.id and parent.id = $5 and parent.parent_id is null
  join users recipient on recipient.id = $6
  where s.id = $1 and ${TAKES_PART}
  for key share of s, parent
  returning id`,
)

/** False when there is no such space, or when it is a stranger's. */
export async function insertComment(db: Queryable, comment: NewComment): Promise<boolean> {
  const { spaceId, authorId, body } = comment
  const rows = await db.run(insertedComment, [spaceId, authorId, newId(), body])
  return rows.length === 1
}

/** False where a comment would be refused, and when comment or recipient do not exist. */
export async function insertReply(db: Queryable, reply: NewReply): Promise<boolean> {
  const { spaceId, authorId, body, parentId, recipientId } = reply
  const values = [spaceId, authorId, newId(), body, parentId, recipientId]
  const rows = await db.run(insertedReply, values)
  return rows.length === 1
}

/** Whose a comment or reply is. */
export type CommentOwnersRow = [isReply: boolean, authorId: string, spaceAuthorId: string]

const owners = statement<CommentOwnersRow>(
  'comments_owners',
  `select c.parent_id is not null, c.author_id, s.author_id
  from comments c join spaces s on s.id = c.space_id
  where c.id = $1`,
)
// The space first, as its own deletion locks it: so the two cannot deadlock.
const deleted = statement(
  'comments_delete',
  `with space as (
    select s.id from comments c join spaces s on s.id = c.space_id where c.id = $1
    for key share of s
  )
  delete from comments using space where comments.space_id = space.id and comments.id = $1`,
)

/** Whose a comment or reply is; undefined when there is no such one. */
export async function findCommentOwners(
  db: Queryable,
  id: string,
): Promise<CommentOwnersRow | undefined> {
  const [row] = await db.run(owners, [id])
  return row
}

/** Deletes a comment with its replies, or a reply. */
export async function deleteComment(db: Queryable, id: string): Promise<void> {
  await db.run(deleted, [id])
}
