import { and, eq } from 'drizzle-orm'
import { Fault } from '../fault.ts'
import { type Queryable, statement } from '../database/connection.ts'
import { type Friendship, type User, users } from '../database/schema.ts'
import { newId } from '../wire/ids.ts'

/** Search results of each kind (behaviour.md 3). */
const MOST_FOUND = 100
/** A nick of 15 characters contains a keyword at most 15 times. */
const MOST_SUFFIXES = 15 * MOST_FOUND

/** Makes an account. @throws a unique violation when the phone number has one already */
export async function insertUser(
  db: Queryable,
  values: Pick<User, 'phone' | 'passwordHash' | 'nick'>,
): Promise<User> {
  const [user] = await db.orm
    .insert(users)
    .values({ id: newId(), ...values })
    .returning()
  if (user === undefined) throw new Fault('an insert returned no row')
  return user
}

export async function findUser(db: Queryable, id: string): Promise<User | undefined> {
  const [user] = await db.orm.select().from(users).where(eq(users.id, id))
  return user
}

export async function findUserByPhone(db: Queryable, phone: string): Promise<User | undefined> {
  const [user] = await db.orm.select().from(users).where(eq(users.phone, phone))
  return user
}

const userExists = statement('user_exists', 'select from users where id = $1')

/** Whether there is a user of this id. */
export async function isUser(db: Queryable, id: string): Promise<boolean> {
  const found = await db.run(userExists, [id])
  return found.length > 0
}

/** A user's list as it is; undefined when it is empty because there is no such user. */
export async function ofKnownUser<Row>(
  db: Queryable,
  userId: string,
  rows: Row[],
): Promise<Row[] | undefined> {
  if (rows.length > 0) return rows
  return (await isUser(db, userId)) ? rows : undefined
}

/** Changes the given fields; undefined when there is no such user. */
export async function updateUser(
  db: Queryable,
  id: string,
  changes: Partial<Pick<User, 'nick' | 'sex' | 'birthday' | 'sign' | 'avatarUrl'>>,
): Promise<User | undefined> {
  const [user] = await db.orm.update(users).set(changes).where(eq(users.id, id)).returning()
  return user
}

/** Keeps a stronger hash of the same password, unless the password was changed meanwhile. */
export async function replaceHash(
  db: Queryable,
  id: string,
  outdated: string,
  passwordHash: string,
): Promise<void> {
  await db.orm
    .update(users)
    .set({ passwordHash })
    .where(and(eq(users.id, id), eq(users.passwordHash, outdated)))
}

const friendshipOf = statement<[state: Friendship['state']]>(
  'friendship_state',
  'select state from friendships where user_id = $1 and friend_id = $2',
)

/** How `userId` stands to `friendId`; undefined for strangers. */
export async function friendshipState(
  db: Queryable,
  userId: string,
  friendId: string,
): Promise<Friendship['state'] | undefined> {
  const [row] = await db.run(friendshipOf, [userId, friendId])
  return row?.[0]
}

// `limit 1`: one look-up a result, where a join might read the whole of a smaller table.
const searchedUsers = statement<[id: string, nick: string, avatarUrl: string, sign: string]>(
  'search_users',
  `with found as (
    select id, 0 as rank from users where phone in ($1, substr($1, length('WaiFCode_') + 1))
      and $1 in (phone, waif_code)
    union all
    (select id, 0 from users where search_fold(nick) collate "C" = search_fold($1) collate "C"
      order by search_fold(nick) collate "C", id limit ${MOST_FOUND})
    union all
    (select user_id, 1 from user_nick_suffixes
      where suffix >= search_fold($1) and suffix < search_fold($1) || U&'\\+10FFFF'
      order by suffix, user_id limit ${MOST_SUFFIXES})
  ), best as (
    select id, min(rank) as rank from found group by id order by min(rank), id limit ${MOST_FOUND}
  )
  select u.* from best
  cross join lateral (select id, nick, avatar_url, sign from users where id = best.id limit 1) u
  order by best.rank, u.id`,
)

const searchedGroups = statement<[id: string, name: string, avatarUrl: string]>(
  'search_groups',
  `with found as (
    select id, 0 as rank from groups where number = $2::bigint and dissolved_at is null
    union all
    (select id, 0 from groups
      where search_fold(name) collate "C" = search_fold($1) collate "C" and dissolved_at is null
      order by search_fold(name) collate "C", id limit ${MOST_FOUND})
    union all
    (select group_id, 1 from group_name_suffixes
      where suffix >= search_fold($1) and suffix < search_fold($1) || U&'\\+10FFFF'
      order by suffix, group_id limit ${MOST_SUFFIXES})
  ), best as (
    select id, min(rank) as rank from found group by id order by min(rank), id limit ${MOST_FOUND}
  )
  select g.* from best
  cross join lateral (select id, name, avatar_url from groups where id = best.id limit 1) g
  order by best.rank, g.id`,
)

/** Users whose nick contains the keyword, or whose phone or WaiFCode it is; exact ones first. */
export function searchUsers(db: Queryable, keyword: string) {
  return db.run(searchedUsers, [keyword])
}

/** Groups whose name contains the keyword, or whose number it is; exact ones first. */
export function searchGroups(db: Queryable, keyword: string) {
  return db.run(searchedGroups, [keyword, /^[1-9]\d{0,14}$/.test(keyword) ? keyword : null])
}
