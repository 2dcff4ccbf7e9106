import { statement } from '../../database/connection.ts'
import type { Comment } from '../../database/schema.ts'
import { type Candidate, accepted, refuse } from '../candidates.ts'
import { objectId, whole } from '../extended-json.ts'
import { knownIn, refuseUnknown } from '../references.ts'
import { Rejection } from '../rules.ts'
import type { Run } from '../run.ts'
import type { Translation } from '../translation.ts'

/** What `type` says in the documents. */
const [COMMENT, REPLY] = [0, 1]

export type CommentRow = Comment

const found = statement<
  [
    id: string,
    spaceId: string,
    parentId: string | null,
    authorId: string,
    recipientId: string,
    body: string,
    createdAt: Date,
  ]
>(
  'import_find_comments',
  `select id, space_id, parent_id, author_id, recipient_id, body, created_at
  from comments where id = any ($1::text[])`,
)
const stored = statement(
  'import_store_comments',
  `insert into comments (id, space_id, parent_id, author_id, recipient_id, body, created_at)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::timestamptz[])
  on conflict (id) do update set space_id = excluded.space_id, parent_id = excluded.parent_id,
    author_id = excluded.author_id, recipient_id = excluded.recipient_id, body = excluded.body,
    created_at = excluded.created_at`,
)

/** Comments on moments, and replies to them. */
export const comments: Translation<CommentRow> = {
  collection: 'space_comments',
  details: ['createdAt'],
  page: statement(
    'import_page_comments',
    'select id, octet_length(body) from comments where id > $1 order by id limit $2',
  ),

  read(reader) {
    const authorId = reader.reference('userId')
    const from = reader.optionalReference('fromId')
    if (reader.has('fromId') && from !== authorId) reader.mended.add('writer-from-user')
    const type = reader.number('type')
    if (type !== COMMENT && type !== REPLY) reader.mended.add('type-unknown')
    const isReply = type === REPLY
    const parentId = isReply ? reader.optionalReference('spaceCommentId') : null
    if (parentId === undefined) throw new Rejection('comment-unknown', 'none')
    return {
      id: reader.id,
      spaceId: reader.reference('spaceId'),
      parentId,
      authorId,
      recipientId: reader.optionalReference('toId') ?? '',
      body: reader.text('textarea') ?? '',
      createdAt: reader.detailedTime('createdAt') ?? reader.time('time'),
    }
  },

  render: (row, times) => ({
    _id: objectId(row.id),
    userId: objectId(row.authorId),
    spaceId: objectId(row.spaceId),
    ...(row.parentId === null ? {} : { spaceCommentId: objectId(row.parentId) }),
    type: whole(row.parentId === null ? COMMENT : REPLY),
    textarea: row.body,
    fromId: objectId(row.authorId),
    toId: objectId(row.recipientId),
    time: times.minute(row.createdAt),
    __v: whole(0),
  }),

  async resolve(run, candidates) {
    await refuseUnknown(run.db, candidates, 'users', ({ authorId }) => [authorId])
    await refuseUnknown(run.db, candidates, 'spaces', ({ spaceId }) => [spaceId])
    await giveRecipients(run, candidates)
    await attachReplies(run, candidates)
  },

  async store(db, rows) {
    await db.run(stored, [
      rows.map(({ id }) => id),
      rows.map(({ spaceId }) => spaceId),
      rows.map(({ parentId }) => parentId),
      rows.map(({ authorId }) => authorId),
      rows.map(({ recipientId }) => recipientId),
      rows.map(({ body }) => body),
      rows.map(({ createdAt }) => createdAt),
    ])
  },

  async find(db, ids) {
    const rows = await db.run(found, [ids])
    return rows.map(([id, spaceId, parentId, authorId, recipientId, body, createdAt]) => ({
      ...{ id, spaceId, parentId, authorId, recipientId, body, createdAt },
    }))
  },
}

/** A recipient who is not there gives way to the author of what is answered, or of the comment. */
async function giveRecipients(run: Run, candidates: Candidate<CommentRow>[]): Promise<void> {
  const checked = accepted(candidates)
  const recipients = checked.map(({ row }) => row.recipientId)
  const known = await knownIn(run.db, 'users', recipients)
  for (const candidate of checked) {
    const { row, reader } = candidate
    if (known.has(row.recipientId)) continue
    reader.mended.add('recipient-given')
    candidate.row = { ...row, recipientId: row.authorId }
  }
}

/** A reply to a reply belongs to the comment that the other one answers. */
async function attachReplies(run: Run, candidates: Candidate<CommentRow>[]): Promise<void> {
  const replies = accepted(candidates).filter(({ row }) => row.parentId !== null)
  const ids = replies.map(({ row }) => row.parentId ?? '')
  const parents = new Map((await comments.find(run.db, ids)).map((row) => [row.id, row]))
  for (const candidate of replies) {
    const { row, reader } = candidate
    const parent = parents.get(row.parentId ?? '')
    if (parent === undefined || parent.spaceId !== row.spaceId || parent.id === row.id) {
      refuse(candidate, 'comment-unknown', row.parentId ?? '')
    } else if (parent.parentId !== null) {
      reader.mended.add('reply-moved')
      candidate.row = { ...row, parentId: parent.parentId }
    }
  }
}
