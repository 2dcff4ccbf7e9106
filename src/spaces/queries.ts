import { eq } from 'drizzle-orm'
import { type Database, type Queryable, statement } from '../database/connection.ts'
import { type Space, spaces } from '../database/schema.ts'
import { newId } from '../wire/ids.ts'

/** Of a space `s` in whose life `$2` takes part: its author's and the author's friends'. */
export const TAKES_PART = `(s.author_id = $2 or exists (select from friendships f
    where f.user_id = $2 and f.friend_id = s.author_id and f.state = 'accepted'))`

const inserted = statement<[id: string]>(
  'spaces_insert',
  `insert into spaces (id, author_id, body, photos)
  select $1, id, $3, $4 from users where id = $2
  returning id`,
)

/** Publishes a space; false when there is no such user. */
export async function insertSpace(
  db: Queryable,
  { authorId, body, photos }: Pick<Space, 'authorId' | 'body' | 'photos'>,
): Promise<boolean> {
  const rows = await db.run(inserted, [newId(), authorId, body, photos])
  return rows.length === 1
}

/** A space with its author; the space is null for somebody who has none. */
export type OwnSpaceRow = [
  waifCode: string,
  nick: string,
  avatarUrl: string,
  id: string | null,
  body: string,
  photos: string[],
  createdAt: Date,
]

const ownSpaces = statement<OwnSpaceRow>(
  'spaces_of_author',
  `select u.waif_code, u.nick, u.avatar_url, s.id, s.body, s.photos, s.created_at
  from users u left join spaces s on s.author_id = u.id
  where u.id = $1
  order by s.created_at desc, s.id desc`,
)

/** Somebody's spaces, newest first; no row when there is no such user. */
export function listOwnSpaces(db: Queryable, authorId: string): Promise<OwnSpaceRow[]> {
  return db.run(ownSpaces, [authorId])
}

const locked = statement<[id: string]>(
  'spaces_lock_to_like',
  `select s.id from spaces s where s.id = $1 and ${TAKES_PART} for no key update`,
)
const toggled = statement(
  'spaces_toggle_like',
  `with gone as (delete from space_likes where space_id = $1 and user_id = $2 returning id)
  insert into space_likes (id, space_id, user_id)
  select $3, $1, $2 where not exists (select from gone)`,
)

/**
 * Likes a space, or takes that back. False when there is no such space, or when it is a
 * stranger's.
 */
export function toggleLike(db: Database, spaceId: string, userId: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    // Under the lock each tap sees what the one before it did.
    const found = await tx.run(locked, [spaceId, userId])
    if (found.length === 0) return false
    await tx.run(toggled, [spaceId, userId, newId()])
    return true
  })
}

/** Whose space it is; undefined when there is no such space. */
export async function findSpaceAuthor(db: Queryable, id: string): Promise<string | undefined> {
  const [space] = await db.orm
    .select({ authorId: spaces.authorId })
    .from(spaces)
    .where(eq(spaces.id, id))
  return space?.authorId
}

/** Deletes a space with its likes, comments and replies. */
export async function deleteSpace(db: Queryable, id: string): Promise<void> {
  await db.orm.delete(spaces).where(eq(spaces.id, id))
}
