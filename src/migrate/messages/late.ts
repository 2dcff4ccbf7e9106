import { type Queryable, statement } from '../../database/connection.ts'

/*
 * Messages that are older than what their conversation already has. The order of the history is
 * `seq`, so they are put where their time says, and what comes after them moves up, with its
 * position: both always grow together. Bookmarks of sockets mean other messages then, so they end.
 */

const found = statement<[id: number]>(
  'late_find',
  `select b.conversation_id
  from (
    select distinct on (conversation_id) conversation_id, sent_at, id
    from batch where place = 0 order by conversation_id, sent_at, id collate "C"
  ) b
  join conversations c on c.id = b.conversation_id
  join messages m on m.conversation_id = c.id and m.seq = c.last_seq
  where (m.sent_at, m.id::text collate "C") > (b.sent_at, b.id)`,
)
const made = statement(
  'late_make_moved',
  `create temp table if not exists moved (
    id text, conversation_id bigint, old_seq bigint, new_seq bigint
  )`,
)
const emptied = statement('late_empty_moved', 'truncate moved')
// Where a message was stored behind a later one, its place stays behind that one.
const placed = statement(
  'late_place',
  `insert into moved
  select id, conversation_id, old_seq, row_number() over (
    partition by conversation_id order by moment collate "C", old_seq
  )
  from (
    select id, conversation_id, old_seq,
      max(moment collate "C") over (partition by conversation_id order by old_seq) as moment
    from (
      select id::text as id, conversation_id, seq as old_seq,
        to_char(extract(epoch from sent_at) * 1000, 'FM000000000000000') || id as moment
      from messages where conversation_id = any ($1::bigint[])
    ) existing
    union all
    select id, conversation_id, null,
      to_char(extract(epoch from sent_at) * 1000, 'FM000000000000000') || id
    from batch where conversation_id = any ($1::bigint[])
  ) places`,
)
// Far away first: two messages must never have one number, not even within a statement.
const parted = statement(
  'late_part',
  `update messages m set seq = p.new_seq + (1::bigint << 40)
  from moved p where m.id = p.id and p.old_seq <> p.new_seq`,
)
const joined = statement(
  'late_join',
  `update messages set seq = seq - (1::bigint << 40)
  where conversation_id = any ($1::bigint[]) and seq > (1::bigint << 40)`,
)
const renumbered = statement(
  'late_renumber_batch',
  'update batch b set seq = p.new_seq from moved p where p.id = b.id and p.old_seq is null',
)
const exchanged = statement(
  'late_exchange_positions',
  `with places as (
    select id, conversation_id,
      row_number() over (partition by conversation_id order by new_seq) as nth
    from moved
  ), positions as (
    select conversation_id, position,
      row_number() over (partition by conversation_id order by position) as nth
    from (
      select conversation_id, position from messages where conversation_id = any ($1::bigint[])
      union all
      select conversation_id, position from batch where conversation_id = any ($1::bigint[])
    ) p
  ), target as materialized (
    select p.id, n.position, max(n.position) over (partition by conversation_id) as last_position,
      conversation_id
    from places p join positions n using (conversation_id, nth)
  ), stored as (
    update messages m set position = -t.position
    from target t where m.id = t.id and m.position <> t.position
  ), waiting as (
    update batch b set position = t.position from target t where b.id = t.id
  )
  update conversations c set last_position = t.last_position
  from (select distinct conversation_id, last_position from target) t
  where c.id = t.conversation_id`,
)
const settled = statement(
  'late_settle_positions',
  `update messages set position = -position
  where conversation_id = any ($1::bigint[]) and position < 0`,
)
const forgotten = statement('late_forget_sessions', 'delete from socket_sessions')
const followed = statement(
  'late_follow',
  `with place as (
    select conversation_id, old_seq, new_seq from moved where old_seq is not null
    union all
    select unnest($1::bigint[]), 0, 0
  ), friends as (
    update friendships f set read_seq = r.new_seq, start_seq = s.new_seq
    from place r, place s
    where r.conversation_id = f.conversation_id and r.old_seq = f.read_seq
      and s.conversation_id = f.conversation_id and s.old_seq = f.start_seq
  )
  update group_members g set read_seq = r.new_seq, start_seq = s.new_seq
  from conversations c, place r, place s
  where c.id = any ($1::bigint[]) and c.group_id = g.group_id and g.state = 'member'
    and r.conversation_id = c.id and r.old_seq = g.read_seq
    and s.conversation_id = c.id and s.old_seq = g.start_seq`,
)
const caughtUp = statement<[id: string]>(
  'late_caught_up',
  `select g.id
  from conversations c
  join group_members g on g.group_id = c.group_id and g.state = 'member'
  where c.id = any ($1::bigint[])
    and c.last_seq - g.read_seq - (g.sent_total - g.sent_when_read) = 0`,
)
const readAll = statement(
  'late_read_all',
  `update group_members g set read_seq = c.last_seq, sent_when_read = g.sent_total
  from conversations c
  where g.id = any ($1::text[]) and c.group_id = g.group_id`,
)
const marked = statement<[count: number]>(
  'late_mark',
  `with marked as (
    update imported_documents d set mended = array_append(d.mended, 'late-message-read')
    from batch b
    join friendships f on f.user_id = b.target_id and f.friend_id = b.sender_id
      and f.conversation_id = b.conversation_id and f.read_seq >= b.seq
    where b.collection = 'private_chats' and b.conversation_id = any ($1::bigint[])
      and not b.read and d.collection = b.collection and d.id = b.id
    returning d.id
  )
  select count(*) from marked`,
)

/** Conversations that have later messages than the earliest that the batch has for them by time. */
export async function lateConversations(db: Queryable): Promise<number[]> {
  return (await db.run(found)).map(([id]) => id)
}

/** Makes room for the batch in some conversations; everybody's place moves along. */
export async function makeRoom(db: Queryable, conversations: readonly number[]): Promise<void> {
  await db.run(made)
  await db.run(emptied)
  await db.run(placed, [conversations])
  await db.run(parted)
  await db.run(joined, [conversations])
  await db.run(renumbered)
  await db.run(exchanged, [conversations])
  await db.run(settled, [conversations])
  await db.run(forgotten)
  await db.run(followed, [conversations])
}

/** The members of groups who have read everything. */
export async function membersCaughtUp(
  db: Queryable,
  conversations: readonly number[],
): Promise<string[]> {
  return (await db.run(caughtUp, [conversations])).map(([id]) => id)
}

/** Lets members have read everything. */
export async function readEverything(db: Queryable, members: readonly string[]): Promise<void> {
  if (members.length > 0) await db.run(readAll, [members])
}

/**
 * Remembers which unread messages of the batch came to stand among those that were read.
 *
 * @returns how many
 */
export async function markRead(db: Queryable, conversations: readonly number[]): Promise<number> {
  const [row] = await db.run(marked, [conversations])
  return row?.[0] ?? 0
}
