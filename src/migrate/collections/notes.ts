import { statement } from '../../database/connection.ts'
import type { Note } from '../../database/schema.ts'
import { objectId, whole } from '../extended-json.ts'
import { refuseUnknown } from '../references.ts'
import { timeOfId } from '../times.ts'
import type { Translation } from '../translation.ts'

const DEFAULT_COLOR = '#fff5a8'

const found = statement<
  [id: string, authorId: string, body: string, color: string, writtenAt: Date, createdAt: Date]
>(
  'import_find_notes',
  `select id, author_id, body, color, written_at, created_at
  from notes where id = any ($1::text[])`,
)
const stored = statement(
  'import_store_notes',
  `insert into notes (id, author_id, body, color, written_at, created_at)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
    $6::timestamptz[])
  on conflict (id) do update set author_id = excluded.author_id, body = excluded.body,
    color = excluded.color, written_at = excluded.written_at, created_at = excluded.created_at`,
)

/** Sticky notes; they are listed by when they were stored, which is what their ids say. */
export const notes: Translation<Note> = {
  collection: 'notes',
  details: ['createdAt', 'writtenAt'],
  page: statement(
    'import_page_notes',
    'select id, octet_length(body) from notes where id > $1 order by id limit $2',
  ),

  read(reader) {
    const color = reader.text('color') ?? ''
    if (color === '') reader.mended.add('color-given')
    return {
      id: reader.id,
      authorId: reader.reference('userId'),
      body: reader.text('text') ?? '',
      color: color === '' ? DEFAULT_COLOR : color,
      writtenAt: reader.detailedTime('writtenAt') ?? reader.time('time'),
      createdAt: reader.detailedTime('createdAt') ?? timeOfId(reader.id),
    }
  },

  render: (row, times) => ({
    _id: objectId(row.id),
    userId: objectId(row.authorId),
    text: row.body,
    color: row.color,
    time: times.long(row.writtenAt),
    __v: whole(0),
  }),

  resolve: (run, candidates) =>
    refuseUnknown(run.db, candidates, 'users', ({ authorId }) => [authorId]),

  async store(db, rows) {
    await db.run(stored, [
      rows.map(({ id }) => id),
      rows.map(({ authorId }) => authorId),
      rows.map(({ body }) => body),
      rows.map(({ color }) => color),
      rows.map(({ writtenAt }) => writtenAt),
      rows.map(({ createdAt }) => createdAt),
    ])
  },

  async find(db, ids) {
    const rows = await db.run(found, [ids])
    return rows.map(([id, authorId, body, color, writtenAt, createdAt]) => ({
      ...{ id, authorId, body, color, writtenAt, createdAt },
    }))
  },
}
