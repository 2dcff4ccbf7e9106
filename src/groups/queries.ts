import { and, eq, isNull } from 'drizzle-orm'
import { type Queryable, statement } from '../database/connection.ts'
import { ofKnownUser } from '../accounts/queries.ts'
import { type Group, type GroupMember, groups, type User } from '../database/schema.ts'

/** Groups or applications that one list shows at most. */
const MOST_LISTED = 1000
/** Members that one list shows at most: an owner must be able to find everybody. */
const MOST_MEMBERS = 10_000
const BORN_FROM_2000 = '2000-01-01'

/** A group that is not dissolved. */
export async function findGroup(db: Queryable, id: string): Promise<Group | undefined> {
  const [group] = await db.orm
    .select()
    .from(groups)
    .where(and(eq(groups.id, id), isNull(groups.dissolvedAt)))
  return group
}

/** Changes the given fields; false when there is no such group. */
export async function updateGroup(
  db: Queryable,
  id: string,
  changes: Partial<Pick<Group, 'name' | 'sign' | 'avatarUrl'>>,
): Promise<boolean> {
  const updated = await db.orm
    .update(groups)
    .set(changes)
    .where(and(eq(groups.id, id), isNull(groups.dissolvedAt)))
    .returning({ id: groups.id })
  return updated.length > 0
}

/** A group as somebody sees it. */
export type GroupHomeRow = [
  id: string,
  ownerId: string,
  name: string,
  number: number,
  sign: string,
  avatarUrl: string,
  createdAt: Date,
  state: GroupMember['state'] | null,
]

const groupHome = statement<GroupHomeRow>(
  'groups_home',
  `select g.id, g.owner_id, g.name, g.number, g.sign, g.avatar_url, g.created_at, mine.state
  from groups g
  join users me on me.id = $2
  left join group_members mine on mine.group_id = g.id and mine.user_id = me.id
  where g.id = $1 and g.dissolved_at is null`,
)

/** A group as `userId` sees it; undefined when the group or the user does not exist. */
export async function findGroupHome(
  db: Queryable,
  groupId: string,
  userId: string,
): Promise<GroupHomeRow | undefined> {
  const [row] = await db.run(groupHome, [groupId, userId])
  return row
}

/** A member of a group; `isOwner` tells whether the group is theirs. */
export type MemberRow = [
  id: string,
  userId: string,
  nick: string,
  avatarUrl: string,
  sex: User['sex'],
  birthday: string | null,
  createdAt: Date,
  isOwner: boolean,
]

const members = statement<MemberRow>(
  'groups_members',
  `select m.id, u.id, u.nick, u.avatar_url, u.sex, u.birthday, m.created_at, u.id = g.owner_id
  from groups g
  join group_members m on m.group_id = g.id and m.state = 'member'
  join users u on u.id = m.user_id
  where g.id = $1 and g.dissolved_at is null
  order by u.id = g.owner_id desc, m.joined_at, m.id limit ${MOST_MEMBERS}`,
)

/** The members of a group, its owner first, then by joining. */
export function listMembers(db: Queryable, groupId: string): Promise<MemberRow[]> {
  return db.run(members, [groupId])
}

/** How many members are male, female, and born in the 2000s or later. */
export type MemberCounts = readonly [male: number, female: number, bornFrom2000: number]

const memberCounts = statement<[male: number, female: number, bornFrom2000: number]>(
  'groups_member_counts',
  `select count(*) filter (where u.sex = 'male'), count(*) filter (where u.sex = 'female'),
    count(*) filter (where u.birthday >= '${BORN_FROM_2000}')
  from group_members m join users u on u.id = m.user_id
  where m.group_id = $1 and m.state = 'member'`,
)

/** Counts the members of a group; \`listed\` are those that \`listMembers\` gave. */
export async function countMembers(
  db: Queryable,
  groupId: string,
  listed: readonly MemberRow[],
): Promise<MemberCounts> {
  // Only a list that may have been cut short has to be counted by the database.
  const [row] = listed.length < MOST_MEMBERS ? [] : await db.run(memberCounts, [groupId])
  if (row !== undefined) return row
  const counts: [number, number, number] = [0, 0, 0]
  for (const [, , , , sex, birthday] of listed) {
    if (sex === 'male') counts[0] += 1
    if (sex === 'female') counts[1] += 1
    if (birthday !== null && birthday >= BORN_FROM_2000) counts[2] += 1
  }
  return counts
}

/** A group that somebody is a member of. */
export type MembershipRow = [
  id: string,
  groupId: string,
  name: string,
  avatarUrl: string,
  createdAt: Date,
  isOwner: boolean,
]

const memberships = statement<MembershipRow>(
  'groups_of_user',
  `select m.id, g.id, g.name, g.avatar_url, m.created_at, g.owner_id = $1
  from group_members m join groups g on g.id = m.group_id and g.dissolved_at is null
  where m.user_id = $1 and m.state = 'member'
  order by m.created_at, m.id limit ${MOST_LISTED}`,
)

/** Somebody's groups, oldest membership first; undefined when there is no such user. */
export async function listMemberships(
  db: Queryable,
  userId: string,
): Promise<MembershipRow[] | undefined> {
  return ofKnownUser(db, userId, await db.run(memberships, [userId]))
}

/** An application to a group, with who applies. */
export type ApplicationRow = [
  id: string,
  groupId: string,
  name: string,
  avatarUrl: string,
  userId: string,
  nick: string,
  userAvatarUrl: string,
  createdAt: Date,
]

const applications = statement<ApplicationRow>(
  'groups_applications',
  `select m.id, g.id, g.name, g.avatar_url, u.id, u.nick, u.avatar_url, m.created_at
  from groups g
  join group_members m on m.group_id = g.id and m.state = 'requested'
  join users u on u.id = m.user_id
  where g.owner_id = $1 and g.dissolved_at is null
  order by m.created_at desc, m.id desc limit ${MOST_LISTED}`,
)

/** What waits for the owner of groups, newest first; undefined when there is no such user. */
export async function listApplications(
  db: Queryable,
  ownerId: string,
): Promise<ApplicationRow[] | undefined> {
  return ofKnownUser(db, ownerId, await db.run(applications, [ownerId]))
}
