import { type Queryable, statement } from '../database/connection.ts'
import type { GroupMember } from '../database/schema.ts'
import { newId } from '../wire/ids.ts'

/** What a new group is given. */
export interface NewGroup {
  readonly ownerId: string
  readonly name: string
  readonly sign: string
  readonly avatarUrl: string
}

// 'wf', 2: one group at a time takes a number. See also 'wf', 1 in `store_messages`.
const numbering = statement('groups_hold_numbers', 'select pg_advisory_xact_lock(30566, 2)')
// Numbers look like the moment of creation, as the original's did; those that are taken make way.
const inserted = statement(
  'groups_insert',
  `with recursive taken (number) as (
    select g.number from groups g where g.number = $4::bigint
    union all
    select g.number from taken join groups g on g.number = taken.number + 1
  ), made as (
    insert into groups (id, owner_id, name, number, sign, avatar_url)
    select $1, $2, $3, coalesce((select max(number) + 1 from taken), $4::bigint), $5, $6
    returning id, owner_id
  ), conversation as (
    insert into conversations (kind, group_id) select 'group', id from made
  )
  insert into group_members (id, group_id, user_id, state, joined_at)
  select $7, id, owner_id, 'member', now() from made`,
)

/** Makes a group with its conversation, and its owner as the only member; gives its id. */
export async function insertGroup(tx: Queryable, group: NewGroup): Promise<string> {
  const { ownerId, name, sign, avatarUrl } = group
  const id = newId()
  await tx.run(numbering)
  await tx.run(inserted, [id, ownerId, name, Date.now(), sign, avatarUrl, newId()])
  return id
}

const locked = statement<[ownerId: string]>(
  'groups_lock',
  `select owner_id from groups where id = $1 and dissolved_at is null for no key update`,
)

/**
 * Until the transaction ends nobody else changes who belongs to a group.
 *
 * @returns its owner; undefined when there is no such group
 */
export async function lockGroup(tx: Queryable, groupId: string): Promise<string | undefined> {
  const [row] = await tx.run(locked, [groupId])
  return row?.[0]
}

const applied = statement<[state: GroupMember['state']]>(
  'groups_apply',
  `with applied as (
    insert into group_members (id, group_id, user_id, state)
    select $3, $1, id, 'requested' from users where id = $2
    on conflict (user_id, group_id) do nothing
    returning state
  )
  select state from applied
  union all
  select state from group_members where group_id = $1 and user_id = $2`,
)

/**
 * Makes an application where the user has no row yet.
 *
 * @param tx holds the lock on the group
 * @returns how they stand to the group now; undefined when there is no such user
 */
export async function insertApplication(
  tx: Queryable,
  groupId: string,
  userId: string,
): Promise<GroupMember['state'] | undefined> {
  const [row] = await tx.run(applied, [groupId, userId, newId()])
  return row?.[0]
}

const refused = statement<[id: string]>(
  'groups_refuse',
  `delete from group_members where group_id = $1 and user_id = $2 and state = 'requested'
  returning id`,
)

/** Deletes an application; false when none waits. */
export async function deleteApplication(tx: Queryable, groupId: string, userId: string) {
  return (await tx.run(refused, [groupId, userId])).length > 0
}

// Somebody who joins has read, as it were, all that was said before (behaviour.md 6).
const accepted = statement<[membersVersion: number]>(
  'groups_accept',
  `with joined as (
    update group_members m set state = 'member', joined_at = now(),
      start_seq = c.last_seq, read_seq = c.last_seq, sent_total = 0, sent_when_read = 0
    from conversations c
    where c.group_id = m.group_id
      and m.group_id = $1 and m.user_id = $2 and m.state = 'requested'
    returning m.group_id
  )
  update groups g set members_version = g.members_version + 1
  from joined where g.id = joined.group_id returning g.members_version`,
)

/**
 * Turns an application into a membership, with nothing unread.
 *
 * @returns the version of the group's members that this makes; undefined when none waits
 */
export async function acceptApplication(
  tx: Queryable,
  groupId: string,
  userId: string,
): Promise<number | undefined> {
  const [row] = await tx.run(accepted, [groupId, userId])
  return row?.[0]
}

const removed = statement<[membersVersion: number]>(
  'groups_remove_member',
  `with removed as (
    delete from group_members where group_id = $1 and user_id = $2 and state = 'member'
    returning group_id
  )
  update groups g set members_version = g.members_version + 1
  from removed where g.id = removed.group_id returning g.members_version`,
)

/**
 * Ends a membership.
 *
 * @returns the version of the group's members that this makes; undefined when there was none
 */
export async function deleteMember(
  tx: Queryable,
  groupId: string,
  userId: string,
): Promise<number | undefined> {
  const [row] = await tx.run(removed, [groupId, userId])
  return row?.[0]
}

const dissolved = statement<[membersVersion: number]>(
  'groups_dissolve',
  `with emptied as (delete from group_members where group_id = $1)
  update groups set dissolved_at = now(), members_version = members_version + 1
  where id = $1 returning members_version`,
)

/**
 * Ends a group: no members, no applications, not found any more. Its messages stay.
 *
 * @returns the version of its members that this makes, undefined when there is no such group
 */
export async function dissolveGroup(tx: Queryable, groupId: string): Promise<number | undefined> {
  const [row] = await tx.run(dissolved, [groupId])
  return row?.[0]
}
