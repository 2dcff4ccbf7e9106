import { statement } from '../../database/connection.ts'
import { IS_OUTDATED } from '../ledger.ts'
import type { Run } from '../run.ts'
import { advanceReads, recountSent } from './reads.ts'
import { lateConversations, makeRoom, markRead, membersCaughtUp, readEverything } from './late.ts'

/** Messages that one transaction appends. */
const BATCH = 10_000

const made = statement(
  'append_make_batch',
  `create temp table batch (
    like staged_messages,
    conversation_id bigint,
    seq bigint,
    position bigint
  )`,
)
const emptied = statement('append_empty_batch', 'truncate batch')
const filled = statement(
  'append_fill_batch',
  `insert into batch
  select *, null, null, null from staged_messages
  where $1::bigint is null or (place, sent_at, id collate "C") > ($1, $2::timestamptz, $3::text)
  order by place, sent_at, id collate "C" limit $4`,
)
const analyzed = statement('append_analyze_batch', 'analyze batch')
const paired = statement(
  'append_make_conversations',
  `insert into conversations (kind, low_user_id, high_user_id)
  select distinct 'private'::conversation_kind, least(sender_id collate "C", target_id collate "C"),
    greatest(sender_id collate "C", target_id collate "C")
  from batch b
  where collection = 'private_chats' and not exists (
    select from conversations c
    where c.low_user_id = least(b.sender_id collate "C", b.target_id collate "C")
      and c.high_user_id = greatest(b.sender_id collate "C", b.target_id collate "C")
  )`,
)
const addressed = statement(
  'append_address_batch',
  `update batch b set conversation_id = coalesce(
    (select id from conversations c where b.collection = 'group_chats' and c.group_id = b.target_id),
    (select id from conversations c where b.collection = 'private_chats'
      and c.low_user_id = least(b.sender_id collate "C", b.target_id collate "C")
      and c.high_user_id = greatest(b.sender_id collate "C", b.target_id collate "C"))
  )`,
)
const numbered = statement(
  'append_number_batch',
  `with placed as materialized (
    select id, case place when 0 then nextval('message_positions') else place end as position
    from (select id, place from batch order by place, sent_at, id collate "C") o
  ), counted as (
    select id, conversation_id,
      row_number() over (partition by conversation_id order by place, sent_at, id collate "C") as nth
    from batch
  )
  update batch b set seq = n.nth + c.last_seq, position = p.position
  from placed p, counted n, conversations c
  where b.id = p.id and n.id = p.id and c.id = n.conversation_id`,
)
const moved = statement(
  'append_move_sequence',
  `select setval('message_positions', greatest(max(b.place), s.last_value))
  from batch b, message_positions s where b.place > 0 group by s.last_value`,
)
const inserted = statement(
  'append_insert',
  `insert into messages (id, conversation_id, seq, position, sender_id, kind, body, sent_at)
  select id, conversation_id, seq, position, sender_id, kind, body, sent_at
  from batch order by position`,
)
const counted = statement(
  'append_count',
  `update conversations c
  set last_seq = c.last_seq + n.added, last_position = greatest(c.last_position, n.last_position)
  from (
    select conversation_id, count(*) as added, max(position) as last_position
    from batch group by conversation_id
  ) n
  where c.id = n.conversation_id`,
)
const sentPrivately = statement(
  'append_sent_privately',
  `update friendships f set sent_total = f.sent_total + n.added
  from (
    select sender_id, target_id, count(*) as added
    from batch
    where collection = 'private_chats' and not conversation_id = any ($1::bigint[])
    group by sender_id, target_id
  ) n
  where f.user_id = n.sender_id and f.friend_id = n.target_id and f.state = 'accepted'`,
)
// Whoever had read everything has read everything: the original does not say of group messages.
const sentToGroups = statement(
  'append_sent_to_groups',
  `update group_members g set sent_total = g.sent_total + n.sent,
    read_seq = case when n.unread = 0 then n.last_seq else g.read_seq end,
    sent_when_read = case when n.unread = 0 then g.sent_total + n.sent else g.sent_when_read end
  from (
    select m.id, c.last_seq,
      c.last_seq - b.added - m.read_seq - (m.sent_total - m.sent_when_read) as unread,
      coalesce(s.sent, 0) as sent
    from (
      select target_id, conversation_id, count(*) as added
      from batch
      where collection = 'group_chats' and not conversation_id = any ($1::bigint[])
      group by target_id, conversation_id
    ) b
    join conversations c on c.id = b.conversation_id
    join group_members m on m.group_id = b.target_id and m.state = 'member'
    left join (
      select target_id, sender_id, count(*) as sent
      from batch where collection = 'group_chats' group by target_id, sender_id
    ) s on s.target_id = b.target_id and s.sender_id = m.user_id
  ) n
  where g.id = n.id`,
)
const remembered = statement(
  'append_remember',
  `insert into imported_documents (collection, id, digest, import_id, read, mended, remainder)
  select collection, id, decode(digest, 'hex'), $1, read, string_to_array(mended, ' '),
    remainder::json
  from batch`,
)
const released = statement(
  'append_release',
  `delete from quarantine q using batch b
  where q.collection = b.collection::text and q.document_id = b.document_id
    and ${IS_OUTDATED}`,
)
/** Has PostgreSQL plan for the tables as large as they are. */
export const analyzedTables = statement(
  'import_analyze',
  `analyze users, friendships, groups, group_members, conversations, messages, spaces, comments,
    space_likes, notes, imported_documents, quarantine`,
)
const ended = statement<[place: number, sentAt: Date, id: string]>(
  'append_end_of_batch',
  `select place, sent_at, id from batch
  order by place desc, sent_at desc, id collate "C" desc limit 1`,
)
const privateConversations = statement<[id: number]>(
  'append_private_conversations',
  "select distinct conversation_id from batch where collection = 'private_chats'",
)
// 'wf', 1: see store_messages.
const locked = statement('append_lock', 'select pg_advisory_xact_lock(30566, 1)')

/**
 * Appends the staged messages to their conversations in their order, so many in a transaction
 * that what is there is whole whenever it is cut off.
 */
export async function appendMessages(run: Run, total: number): Promise<void> {
  if (total === 0) return
  run.progress.step('messages', total)
  await run.db.run(made)
  let after: [place: number | null, sentAt: Date | null, id: string | null] = [null, null, null]
  let sinceAnalyzed = Infinity
  for (let done = 0; done < total; done += BATCH) {
    if (sinceAnalyzed >= done / 2) {
      await run.db.run(analyzedTables)
      sinceAnalyzed = 0
    }
    sinceAnalyzed += BATCH
    await run.db.run(emptied)
    await run.db.run(filled, [...after, BATCH])
    await run.db.run(analyzed)
    await run.db.transaction(() => appendBatch(run))
    after = (await run.db.run(ended))[0] ?? after
    run.progress.advance(BATCH)
  }
}

async function appendBatch(run: Run): Promise<void> {
  const { db, importId } = run
  await db.run(locked)
  await db.run(paired)
  await db.run(addressed)
  await db.run(numbered)
  const late = await lateConversations(db)
  const caughtUp = await membersCaughtUp(db, late)
  if (late.length > 0) await makeRoom(db, late)
  await db.run(moved)
  await db.run(inserted)
  await db.run(counted)
  await db.run(sentPrivately, [late])
  await db.run(sentToGroups, [late])
  await db.run(remembered, [importId])
  await db.run(released)
  await recountSent(run, late)
  await readEverything(db, caughtUp)
  await advanceReads(
    run,
    (await db.run(privateConversations)).map(([id]) => id),
  )
  if (late.length > 0) {
    const read = await markRead(db, late)
    if (read > 0) run.report.mended('private_chats', ['late-message-read'], read)
  }
}
