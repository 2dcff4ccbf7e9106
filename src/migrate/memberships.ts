import { statement } from '../database/connection.ts'
import {
  accepted,
  type Candidate,
  countImported,
  refuse,
  refusedOf,
  remember,
} from './candidates.ts'
import { firstMember, memberKey, members, type MemberRow } from './collections/members.ts'
import { type Group, readGroups, refuseTwins } from './grouping.ts'
import { newRows, restorePlaces } from './messages/places.ts'
import { madeId } from './made-ids.ts'
import { refuseUnknown } from './references.ts'
import { keepRejects } from './rejects.ts'
import type { Run } from './run.ts'

const owners = statement<[groupId: string, ownerId: string]>(
  'members_owners',
  'select id, owner_id from groups where id = any ($1::text[]) and dissolved_at is null',
)
const countsMade = statement(
  'members_make_counts',
  `create temp table if not exists sent_to_groups as
  select c.group_id, m.sender_id, count(*) as sent
  from conversations c join messages m on m.conversation_id = c.id
  where c.kind = 'group' group by c.group_id, m.sender_id`,
)
const countsIndexed = statement(
  'members_index_counts',
  `create index if not exists sent_to_groups_key
  on sent_to_groups (group_id, sender_id)`,
)
// Who becomes a member by this has read everything.
const stored = statement(
  'members_store',
  `with input as materialized (
    select i.*, c.last_seq, coalesce(s.sent, 0) as sent
    from unnest($1::text[], $2::text[], $3::text[], $4::group_member_state[],
      $5::timestamptz[], $6::timestamptz[])
      as i (id, group_id, user_id, state, created_at, joined_at)
    join conversations c on c.group_id = i.group_id
    left join sent_to_groups s on s.group_id = i.group_id and s.sender_id = i.user_id
  )
  insert into group_members as m (id, group_id, user_id, state, created_at, joined_at,
    read_seq, sent_total, sent_when_read)
  select id, group_id, user_id, state, created_at, joined_at,
    case state when 'member' then last_seq else 0 end,
    case state when 'member' then sent else 0 end,
    case state when 'member' then sent else 0 end
  from input
  on conflict (user_id, group_id) do update set id = excluded.id, state = excluded.state,
    created_at = excluded.created_at, joined_at = excluded.joined_at,
    start_seq = case when m.state = excluded.state then m.start_seq else 0 end,
    read_seq = case when m.state = excluded.state then m.read_seq else excluded.read_seq end,
    sent_total = case when m.state = excluded.state then m.sent_total else excluded.sent_total end,
    sent_when_read = case when m.state = excluded.state
      then m.sent_when_read else excluded.sent_when_read end`,
)
// Of groups that this run imported: a member since then may have read on.
const madeForgotten = statement(
  'members_forget_made',
  `delete from group_members m
  using imported_documents d, unnest($1::text[], $2::text[]) as i (id, user_id)
  where m.id = i.id and m.user_id = i.user_id
    and d.collection = 'groups' and d.id = m.group_id and d.import_id = $3`,
)
const ownersMarked = statement<[groupId: string]>(
  'members_mark_owners',
  `update imported_documents d set mended = array_append(d.mended, 'owner-joined')
  from groups g join group_members m on m.group_id = g.id and m.user_id = g.owner_id
  where d.collection = 'groups' and d.id = g.id and d.import_id = $1
    and coalesce(array_position(d.mended, 'owner-joined'), 0) = 0
    and not exists (
      select from imported_documents o where o.collection = 'group_users' and o.id = m.id
    )
  returning d.id`,
)

/** Imports who belongs to which group, after the messages, so that all of them are read. */
export async function importMemberships(run: Run): Promise<void> {
  for await (const groups of readGroups(run, members, memberKey, 'member-doubled')) {
    if (groups.length > 0) await importMembers(run, groups)
  }
  await markOwners(run)
}

async function importMembers(run: Run, groups: readonly Group<MemberRow>[]): Promise<void> {
  const { db } = run
  await refuseTwins(run, members, groups, memberKey)
  const candidates = groups.flat()
  await refuseUnknown(db, candidates, 'groups', ({ groupId }) => [groupId])
  await refuseUnknown(db, candidates, 'users', ({ userId }) => [userId])
  const groupIds = candidates.map(({ row }) => row.groupId)
  const ownerOf = new Map(await db.run(owners, [groupIds]))
  for (const candidate of accepted(candidates)) {
    const { groupId } = candidate.row
    if (!ownerOf.has(groupId)) refuse(candidate, 'group-dissolved', groupId)
  }
  for (const group of groups) settle(accepted(group), ownerOf)
  const good = accepted(candidates)
  await db.run(countsMade)
  await db.run(countsIndexed)
  await db.transaction(async () => {
    const rows = good.map(({ row }) => row)
    const added = await newRows(run, members, rows)
    await store(run, rows)
    await restorePlaces(run, 'group_members', added)
    await remember(run, db, members, good)
    await keepRejects(run, 'group_users', refusedOf(candidates))
  })
  countImported(run, 'group_users', good)
}

/** Surplus documents of one person in one group are refused; an owner is a member. */
function settle(
  group: readonly Candidate<MemberRow>[],
  ownerOf: ReadonlyMap<string, string>,
): void {
  const first = firstMember(group.map(({ row }) => row))
  for (const candidate of group) {
    const { row, reader } = candidate
    const isOwner = ownerOf.get(row.groupId) === row.userId
    if (row !== first) refuse(candidate, 'member-doubled', memberKey(row))
    else if (isOwner && row.state === 'requested') {
      reader.mended.add('owner-joined')
      candidate.row = { ...row, state: 'member', joinedAt: row.createdAt, timed: false }
    } else {
      if (!isOwner && !row.timed) reader.mended.add('time-from-id')
      candidate.row = { ...row, timed: !isOwner }
    }
  }
}

async function store(run: Run, rows: readonly MemberRow[]): Promise<void> {
  if (rows.length === 0) return
  const made = rows.map(({ groupId }) => madeId(groupId, 'owner'))
  await run.db.run(madeForgotten, [made, rows.map(({ userId }) => userId), run.importId])
  await run.db.run(stored, [
    rows.map(({ id }) => id),
    rows.map(({ groupId }) => groupId),
    rows.map(({ userId }) => userId),
    rows.map(({ state }) => state),
    rows.map(({ createdAt }) => createdAt),
    rows.map(({ joinedAt }) => joinedAt),
  ])
}

/** Remembers of which groups the dump does not say that the owner is a member. */
async function markOwners(run: Run): Promise<void> {
  const rows = await run.db.run(ownersMarked, [run.importId])
  if (rows.length > 0) run.report.mended('groups', ['owner-joined'], rows.length)
}
