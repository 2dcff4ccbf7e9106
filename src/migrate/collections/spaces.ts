import { statement } from '../../database/connection.ts'
import type { Space } from '../../database/schema.ts'
import { isStorable } from '../../wire/fields.ts'
import { type Json, objectId, whole } from '../extended-json.ts'
import type { Reader } from '../reader.ts'
import { refuseUnknown } from '../references.ts'
import { Rejection } from '../rules.ts'
import type { Translation } from '../translation.ts'

const found = statement<
  [id: string, authorId: string, body: string, photos: string[], createdAt: Date]
>(
  'import_find_spaces',
  `select id, author_id, body, photos, created_at
  from spaces where id = any ($1::text[])`,
)
const stored = statement(
  'import_store_spaces',
  `insert into spaces (id, author_id, body, photos, created_at)
  select id, author_id, body, array(select json_array_elements_text(photos::json)), created_at
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
    as i (id, author_id, body, photos, created_at)
  on conflict (id) do update set author_id = excluded.author_id, body = excluded.body,
    photos = excluded.photos, created_at = excluded.created_at`,
)

/** Moments. */
export const spaces: Translation<Space> = {
  collection: 'spaces',
  details: ['createdAt'],
  page: statement(
    'import_page_spaces',
    'select id, octet_length(body) from spaces where id > $1 order by id limit $2',
  ),

  read(reader) {
    const body = reader.text('textDesc') ?? ''
    const photos = readPhotos(reader)
    if (body === '' && photos.length === 0) throw new Rejection('space-empty')
    return {
      id: reader.id,
      authorId: reader.reference('userId'),
      body,
      photos,
      createdAt: reader.detailedTime('createdAt') ?? reader.time('time'),
    }
  },

  render: (row, times) => ({
    _id: objectId(row.id),
    userId: objectId(row.authorId),
    textDesc: row.body,
    photos: row.photos,
    time: times.minute(row.createdAt),
    __v: whole(0),
  }),

  resolve: (run, candidates) =>
    refuseUnknown(run.db, candidates, 'users', ({ authorId }) => [authorId]),

  async store(db, rows) {
    await db.run(stored, [
      rows.map(({ id }) => id),
      rows.map(({ authorId }) => authorId),
      rows.map(({ body }) => body),
      rows.map(({ photos }) => JSON.stringify(photos)),
      rows.map(({ createdAt }) => createdAt),
    ])
  },

  async find(db, ids) {
    const rows = await db.run(found, [ids])
    return rows.map(([id, authorId, body, photos, createdAt]) => ({
      ...{ id, authorId, body, photos, createdAt },
    }))
  },
}

/** The client sends its list of photos as JSON text; some servers stored it like that. */
function readPhotos(reader: Reader): string[] {
  let list: Json | undefined = reader.value('photos')
  if (list == null) return []
  if (typeof list === 'string') {
    reader.mended.add('photos-from-text')
    list = parsed(list)
  }
  const isPhoto = (photo: Json) => typeof photo === 'string' && photo !== '' && isStorable(photo)
  const photos = (Array.isArray(list) ? list : [list]).filter(isPhoto) as string[]
  if (!Array.isArray(list) || photos.length < list.length) reader.mended.add('photos-cleaned')
  return photos
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text.startsWith('/') ? [text] : null
  }
}
