import { statement } from '../database/connection.ts'
import {
  accepted,
  type Candidate,
  countImported,
  refuse,
  refusedOf,
  remember,
} from './candidates.ts'
import { friends, type FriendRow, pairKey, settlePair } from './collections/friends.ts'
import { type Group, readGroups, refuseTwins } from './grouping.ts'
import { advanceReads, recountSent } from './messages/reads.ts'
import { newRows, restorePlaces } from './messages/places.ts'
import { refuseUnknown } from './references.ts'
import { keepRejects } from './rejects.ts'
import type { Run } from './run.ts'

const paired = statement(
  'friends_make_conversations',
  `insert into conversations (kind, low_user_id, high_user_id)
  select distinct 'private'::conversation_kind, user_id, friend_id
  from unnest($1::text[], $2::text[], $3::friendship_state[]) as i (user_id, friend_id, state)
  where state = 'accepted' and user_id collate "C" < friend_id and not exists (
    select from conversations c where c.low_user_id = user_id and c.high_user_id = friend_id
  )`,
)
// Who becomes a friend by this has sent and read nothing yet: both are counted afterwards.
const stored = statement<[conversationId: number]>(
  'friends_store_pairs',
  `with input as materialized (
    select i.*, c.id as conversation_id
    from unnest($1::text[], $2::text[], $3::text[], $4::friendship_state[], $5::timestamptz[])
      as i (id, user_id, friend_id, state, created_at)
    left join conversations c on i.state = 'accepted'
      and c.low_user_id = least(i.user_id collate "C", i.friend_id collate "C")
      and c.high_user_id = greatest(i.user_id collate "C", i.friend_id collate "C")
  ), befriended as (
    select i.id, i.conversation_id
    from input i
    left join friendships f on f.user_id = i.user_id and f.friend_id = i.friend_id
    where i.state = 'accepted' and f.state is distinct from 'accepted'
  ), stored as (
    insert into friendships as f (id, user_id, friend_id, state, created_at, conversation_id)
    select id, user_id, friend_id, state, created_at, conversation_id from input
    on conflict (user_id, friend_id) do update set id = excluded.id, state = excluded.state,
      created_at = excluded.created_at, conversation_id = excluded.conversation_id,
      start_seq = case when f.state = 'accepted' then f.start_seq else 0 end,
      read_seq = case when f.state = 'accepted' then f.read_seq else 0 end,
      sent_total = case when f.state = 'accepted' then f.sent_total else 0 end,
      sent_when_read = case when f.state = 'accepted' then f.sent_when_read else 0 end
  )
  select distinct conversation_id from befriended`,
)

/** Imports friendships pair by pair, so that the two directions always agree. */
export async function importFriendships(run: Run): Promise<void> {
  for await (const groups of readGroups(run, friends, pairKey, 'friend-doubled')) {
    if (groups.length > 0) await importPairs(run, groups)
  }
}

async function importPairs(run: Run, groups: readonly Group<FriendRow>[]): Promise<void> {
  await refuseTwins(run, friends, groups, ({ userId, friendId }) => userId + friendId)
  const candidates = groups.flat()
  await refuseUnknown(run.db, candidates, 'users', ({ userId, friendId }) => [userId, friendId])
  const rows = groups.flatMap((group) => settle(accepted(group)))
  const good = accepted(candidates)
  await run.db.transaction(async () => {
    const added = await newRows(run, friends, rows)
    if (rows.length > 0) await storePairs(run, rows)
    await restorePlaces(run, 'friendships', added)
    await remember(run, run.db, friends, good)
    await keepRejects(run, 'friends', refusedOf(candidates))
  })
  countImported(run, 'friends', good)
}

/** The two rows of a group; its documents get theirs, and surplus ones are refused. */
function settle(group: readonly Candidate<FriendRow>[]): readonly FriendRow[] {
  if (group.length === 0) return []
  const { rows, kept, mended } = settlePair(group.map(({ row }) => row))
  for (const candidate of group) {
    const { id } = candidate.row
    const row = kept.get(id)
    const rule = mended.get(id)
    if (row === undefined) refuse(candidate, 'friend-doubled', pairKey(candidate.row))
    else candidate.row = row
    if (rule !== undefined) candidate.reader.mended.add(rule)
  }
  return rows
}

async function storePairs(run: Run, rows: readonly FriendRow[]): Promise<void> {
  const ids = rows.map(({ id }) => id)
  const userIds = rows.map(({ userId }) => userId)
  const friendIds = rows.map(({ friendId }) => friendId)
  const states = rows.map(({ state }) => state)
  const times = rows.map(({ createdAt }) => createdAt)
  await run.db.run(paired, [userIds, friendIds, states])
  const befriended = await run.db.run(stored, [ids, userIds, friendIds, states, times])
  const conversations = befriended.map(([id]) => id)
  await recountSent(run, conversations)
  await advanceReads(run, conversations)
}
