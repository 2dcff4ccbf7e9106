import { statement } from '../../database/connection.ts'
import type { Run } from '../run.ts'

// The two directions of a conversation's friendship, found by its pair.
const readers = `conversations c
  cross join lateral (
    values (c.low_user_id, c.high_user_id), (c.high_user_id, c.low_user_id)
  ) p (user_id, friend_id)
  join friendships f
    on f.user_id = p.user_id and f.friend_id = p.friend_id and f.conversation_id = c.id`

const advanced = statement(
  'reads_advance',
  `with progress as (
    select f.id, f.user_id, f.start_seq, c.id as conversation_id,
      coalesce(unread.seq - 1, c.last_seq) as read_seq
    from ${readers}
    left join lateral (
      select m.seq
      from messages m
      left join imported_documents d on d.collection = 'private_chats' and d.id = m.id
      where m.conversation_id = c.id and m.seq > f.read_seq and m.sender_id = f.friend_id
        and d.read is not true
      order by m.seq limit 1
    ) unread on true
    where c.id = any ($1::bigint[]) and f.state = 'accepted'
  )
  update friendships f set read_seq = p.read_seq, sent_when_read = (
    select count(*) from messages m
    where m.conversation_id = p.conversation_id and m.sender_id = p.user_id
      and m.seq > p.start_seq and m.seq <= p.read_seq
  )
  from progress p
  where f.id = p.id and p.read_seq > f.read_seq`,
)
const marked = statement<[count: number]>(
  'reads_mark',
  `with marked as (
    update imported_documents d set mended = array_append(d.mended, 'read-after-unread')
    from ${readers}
    -- Few are unread, which the planner cannot know: offset 0 has it look for them one by one.
    cross join lateral (
      select m.id from messages m
      where m.conversation_id = c.id and m.sender_id = f.friend_id and m.seq > f.read_seq
      offset 0
    ) m
    cross join lateral (
      select r.id from imported_documents r
      where r.collection = 'private_chats' and r.id = m.id and r.read
        and array_position(r.mended, 'read-after-unread') is null
      offset 0
    ) r
    where c.id = any ($1::bigint[]) and f.state = 'accepted'
      and d.collection = 'private_chats' and d.id = r.id
    returning d.id
  )
  select count(*) from marked`,
)
const recounted = statement(
  'reads_recount',
  `with friends as (
    update friendships f set sent_total = n.total, sent_when_read = n.when_read
    from (
      select f.id, count(m.id) as total, count(m.id) filter (where m.seq <= f.read_seq) as when_read
      from ${readers}
      left join messages m on m.conversation_id = c.id and m.sender_id = f.user_id
        and m.seq > f.start_seq
      where c.id = any ($1::bigint[])
      group by f.id
    ) n
    where f.id = n.id
  )
  update group_members g set sent_total = n.total, sent_when_read = n.when_read
  from (
    select g.id, count(m.id) as total, count(m.id) filter (where m.seq <= g.read_seq) as when_read
    from conversations c
    join group_members g on g.group_id = c.group_id and g.state = 'member'
    left join messages m on m.conversation_id = c.id and m.sender_id = g.user_id
      and m.seq > g.start_seq
    where c.id = any ($1::bigint[])
    group by g.id
  ) n
  where g.id = n.id`,
)

/**
 * Lets everybody have read what the original says they read: up to the first message that it says
 * is unread. One behind that which was read is remembered as mended.
 */
export async function advanceReads(run: Run, conversations: readonly number[]): Promise<void> {
  if (conversations.length === 0) return
  await run.db.run(advanced, [conversations])
  const [row] = await run.db.run(marked, [conversations])
  const number = row?.[0] ?? 0
  if (number > 0) run.report.mended('private_chats', ['read-after-unread'], number)
}

/** Counts anew what everybody has sent in some conversations, and had when they last read. */
export async function recountSent(run: Run, conversations: readonly number[]): Promise<void> {
  if (conversations.length > 0) await run.db.run(recounted, [conversations])
}
