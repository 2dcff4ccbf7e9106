import { type Queryable, statement } from '../database/connection.ts'
import type { StoredFile } from '../database/schema.ts'
import { isFileName } from '../files/names.ts'
import { isDefaultPicture } from '../files/serving.ts'
import type { Storage } from '../files/storage.ts'

/** Longest name that the file systems in use allow, in bytes. */
export const LONGEST_NAME = 255
const PAGE = 1_000

const made = statement(
  'uploads_make_references',
  `create temp table upload_references as
  select distinct on (stored_name) stored_name, kind, user_id, original_name
  from (
    select 1 as weight, substr(avatar_url, 2) as stored_name, 'user_avatar'::file_kind as kind,
      id::text as user_id, null as original_name
    from users where avatar_url like '/%'
    union all
    select 2, substr(avatar_url, 2), 'group_avatar', owner_id, null
    from groups where avatar_url like '/%'
    union all
    select 3, substr(photo, 2), 'space_photo', author_id, null
    from spaces cross join unnest(photos) photo where photo like '/%'
    union all
    select 4, substring(body from '"url":"/([^"]+)"'),
      case kind when 'picture' then 'chat_picture'::file_kind else 'chat_file' end,
      sender_id, substring(body from '"fileName":"([^"\\\\]+)"')
    from messages where kind in ('picture', 'video', 'file')
  ) r
  where stored_name <> '' and octet_length(stored_name) <= ${LONGEST_NAME}
  order by stored_name, weight, user_id`,
)
const indexed = statement(
  'uploads_index_references',
  'create index on upload_references (stored_name)',
)
const found = statement<[kind: StoredFile['kind'], userId: string, originalName: string | null]>(
  'uploads_reference',
  'select kind, user_id, original_name from upload_references where stored_name = $1',
)
const paged = statement<[storedName: string, known: boolean]>(
  'uploads_page_references',
  `select r.stored_name, f.stored_name is not null
  from upload_references r left join files f on f.stored_name = r.stored_name
  where r.stored_name > $1 order by r.stored_name limit $2`,
)

/** Makes ready, for a session, what profiles, groups, moments and messages refer to. */
export async function openReferences(db: Queryable): Promise<void> {
  await db.run(made)
  await db.run(indexed)
}

/** What refers to a file: what it is, whose, and what it was called; undefined when nothing does. */
export async function findReference(db: Queryable, storedName: string) {
  const [row] = await db.run(found, [storedName])
  return row
}

/** The files that something refers to and that the server cannot give. */
export async function* absentFiles(db: Queryable, storage: Storage): AsyncGenerator<string> {
  for (let after = ''; ;) {
    const rows = await db.run(paged, [after, PAGE])
    if (rows.length === 0) return
    for (const [name, known] of rows) {
      after = name
      if (isDefaultPicture(name) || !isFileName(name)) continue
      if (!known || !(await storage.has(name))) yield name
    }
  }
}
