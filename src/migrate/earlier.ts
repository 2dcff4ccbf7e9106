import { type Queryable, statement } from '../database/connection.ts'
import type { Collection } from './mapping.ts'

/*
 * What an earlier dump had and this one has not: deleted in the original, or left out of the dump.
 * Nothing is deleted for that; it is counted, so that whoever moves can decide.
 */

const TABLES: Readonly<Record<Collection, string>> = {
  users: 'users',
  groups: 'groups',
  dissolved_groups: 'groups',
  private_chats: 'messages',
  group_chats: 'messages',
  friends: 'friendships',
  group_users: 'group_members',
  spaces: 'spaces',
  space_comments: 'comments',
  space_likes: 'space_likes',
  notes: 'notes',
}

const made = statement(
  'earlier_make_seen',
  `create temp table if not exists in_dump (
    collection source_collection, id text collate "C", primary key (collection, id)
  )`,
)
const noted = statement(
  'earlier_note_seen',
  'insert into in_dump select $1, unnest($2::text[]) on conflict do nothing',
)

/** Makes ready what a session remembers of the ids of the dump that it reads. */
export async function openSeen(db: Queryable): Promise<void> {
  await db.run(made)
}

/** Remembers that the dump has documents with such ids. */
export async function noteSeen(
  db: Queryable,
  collection: Collection,
  ids: readonly string[],
): Promise<void> {
  await db.run(noted, [collection, ids])
}

/** How many documents of earlier dumps are in the database that this dump does not have. */
export async function countEarlier(db: Queryable, collection: Collection): Promise<number> {
  const table = TABLES[collection]
  const counted = statement<[count: number]>(
    `earlier_count_${table}`,
    `select count(*) from imported_documents d join ${table} r on r.id = d.id
    where d.collection = $1
      and not exists (select from in_dump s where s.collection = d.collection and s.id = d.id)`,
  )
  const [row] = await db.run(counted, [collection])
  return row?.[0] ?? 0
}
