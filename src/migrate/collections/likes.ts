import { statement } from '../../database/connection.ts'
import { objectId, whole } from '../extended-json.ts'
import { timeOfId } from '../times.ts'
import type { Translation } from '../translation.ts'

export interface LikeRow {
  readonly id: string
  readonly spaceId: string
  readonly userId: string
  readonly createdAt: Date
}

const found = statement<[id: string, spaceId: string, userId: string, createdAt: Date]>(
  'import_find_likes',
  'select id, space_id, user_id, created_at from space_likes where id = any ($1::text[])',
)
const stored = statement(
  'import_store_likes',
  `insert into space_likes (id, space_id, user_id, created_at)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
  on conflict (space_id, user_id) do update
    set id = excluded.id, created_at = excluded.created_at`,
)

/** Who likes which moment. */
export const likes: Translation<LikeRow> = {
  collection: 'space_likes',
  details: ['createdAt'],
  page: statement(
    'import_page_likes',
    'select id from space_likes where id > $1 order by id limit $2',
  ),
  read: (reader) => ({
    id: reader.id,
    spaceId: reader.reference('spaceId'),
    userId: reader.reference('userId'),
    createdAt:
      reader.detailedTime('createdAt') ??
      (reader.has('time') ? reader.time('time') : timeOfId(reader.id)),
  }),
  render: (row) => ({
    _id: objectId(row.id),
    spaceId: objectId(row.spaceId),
    userId: objectId(row.userId),
    __v: whole(0),
  }),
  async store(db, rows) {
    await db.run(stored, [
      rows.map(({ id }) => id),
      rows.map(({ spaceId }) => spaceId),
      rows.map(({ userId }) => userId),
      rows.map(({ createdAt }) => createdAt),
    ])
  },
  async find(db, ids) {
    const rows = await db.run(found, [ids])
    return rows.map(([id, spaceId, userId, createdAt]) => ({ id, spaceId, userId, createdAt }))
  },
}

/** What all likes of one moment by one person have in common. */
export function likeKey({ spaceId, userId }: LikeRow): string {
  return spaceId + userId
}
