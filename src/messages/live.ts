import { personDocument } from '../accounts/documents.ts'
import { type Queryable, statement } from '../database/connection.ts'
import type { Conversation, Message } from '../database/schema.ts'
import type { Emitted } from '../realtime/pair-broadcast.ts'
import { msgType } from './kinds.ts'

/** A stored message with all that its receivers are shown. */
export type LiveMessage = readonly [
  position: number,
  conversation: Conversation['kind'],
  senderId: string,
  /** The friend or the group that it is for. */
  targetId: string,
  kind: Message['kind'],
  body: string,
  sentAt: Date,
  senderNick: string,
  senderAvatarUrl: string,
  groupName: string | null,
  groupAvatarUrl: string | null,
  /** Which version of the group's members (`groups.members_version`) was seen with it. */
  membersVersion: number | null,
]

/** What receivers of `private_chat` and `group_chat` get (interface document, events 2 and 4). */
export function liveMessageDocument(message: LiveMessage) {
  const [, conversation, senderId, targetId, kind, body, sentAt, nick, avatarUrl] = message
  const [, , , , , , , , , groupName, groupAvatarUrl] = message
  const data = {
    msgType: msgType(kind),
    message: body,
    time: sentAt.toISOString(),
    fromId: senderId,
    toId: targetId,
  }
  const userId = personDocument(senderId, nick, avatarUrl)
  if (conversation === 'private') return { userId, ...data }
  return { userId, groupInfo: { _id: targetId, groupName, imgUrl: groupAvatarUrl }, ...data }
}

/** Something that takes an event: a socket. */
export interface Receiver {
  emit(event: string, ...args: unknown[]): unknown
}

/**
 * A message, and the news that it is unread. Each carries as its last argument the bookmark with
 * which the client comes back: after the first, the second is still missing.
 */
export function liveEvents(message: LiveMessage): readonly [Emitted, Emitted] {
  const [position, conversation] = message
  const event = conversation === 'private' ? 'private_chat' : 'group_chat'
  return [[event, liveMessageDocument(message), `${position}-`], unreadEvent(message)]
}

function unreadEvent([position, conversation, senderId, targetId]: LiveMessage): Emitted {
  return ['unread_message', conversation === 'private' ? senderId : targetId, String(position)]
}

/** Sends a message and then the news that it is unread to one socket. */
export function sendMessage(receiver: Receiver, message: LiveMessage): void {
  for (const event of liveEvents(message)) receiver.emit(...event)
}

/** Sends the news that a message is unread: where from. */
export function sendUnread(receiver: Receiver, message: LiveMessage): void {
  receiver.emit(...unreadEvent(message))
}

const columns = `m.position, c.kind, m.sender_id,
    coalesce(c.group_id, case m.sender_id when c.low_user_id then c.high_user_id else c.low_user_id end),
    m.kind, m.body, m.sent_at, u.nick, u.avatar_url, g.name, g.avatar_url,
    g.members_version`

const between = statement<[...LiveMessage]>(
  'live_between',
  `select ${columns}
  from messages m
  join conversations c on c.id = m.conversation_id
  join users u on u.id = m.sender_id
  left join groups g on g.id = c.group_id
  where m.position > $1 and m.position <= $2
  order by m.position limit $3`,
)

/** Stored messages after one position up to another, in order, at most `limit`. */
export function messagesBetween(
  db: Queryable,
  after: number,
  upTo: number,
  limit: number,
): Promise<LiveMessage[]> {
  return db.run(between, [after, upTo, limit])
}

/** How many times the limit is looked past one's own messages in a conversation. */
const LOOKED_BEHIND = 9

// Since a position, a conversation got at most as many messages as positions were given out.
const missed = statement<[...LiveMessage]>(
  'live_missed',
  `with mine as (
    select c.id, c.last_seq, c.last_position, f.start_seq
    from friendships f join conversations c on c.id = f.conversation_id
    where f.user_id = $1 and f.state = 'accepted' and c.last_position > $2
    union all
    select c.id, c.last_seq, c.last_position, gm.start_seq
    from group_members gm
    join groups g on g.id = gm.group_id and g.dissolved_at is null
    join conversations c on c.group_id = g.id
    where gm.user_id = $1 and gm.state = 'member' and c.last_position > $2
  ), near as (
    select m.* from mine
    cross join lateral (
      select id, conversation_id, seq, position, sender_id, octet_length(body) as bytes
      from messages
      where conversation_id = mine.id and position > $2
        and seq > greatest(mine.start_seq, mine.last_seq - least($3, mine.last_position - $2))
      order by seq desc limit $3
    ) m
  ), full_of_own as (
    -- Where one wrote much on another device, what others said may lie behind that.
    select conversation_id, min(seq) as seq from near
    where (select count(*) from near where sender_id <> $1) < $3
    group by conversation_id having count(*) = $3
  ), behind as (
    select m.* from full_of_own f
    join mine on mine.id = f.conversation_id
    cross join lateral (
      select id, position, octet_length(body) as bytes from messages
      where conversation_id = mine.id and position > $2 and sender_id <> $1
        and seq < f.seq and seq > greatest(mine.start_seq, f.seq - ${LOOKED_BEHIND} * $3)
      order by seq desc limit $3
    ) m
  ), newest as (
    select id, position, sum(bytes) over (order by position desc) as bytes
    from (
      select id, position, bytes from near where sender_id <> $1
      union all select * from behind
      order by position desc limit $3
    ) n
  )
  select ${columns}
  from newest n
  join messages m on m.id = n.id
  join conversations c on c.id = m.conversation_id
  join users u on u.id = m.sender_id
  left join groups g on g.id = c.group_id
  where n.bytes <= $4
  order by m.position`,
)

/**
 * What others said after a position in the conversations that somebody takes part in now, in
 * order; of more than `limit` messages or `bytes` the newest. Ten times the limit of a conversation's
 * newest messages is looked through at most: one's own may be so many.
 */
export function missedMessages(
  db: Queryable,
  userId: string,
  after: number,
  limit: number,
  bytes: number,
): Promise<LiveMessage[]> {
  return db.run(missed, [userId, after, limit, bytes])
}

const newest = statement<[position: number]>(
  'live_newest_position',
  'select position from messages order by position desc limit 1',
)

/**
 * Position of the newest message, 0 if there is none. Messages become visible in order of position
 * (see `store_messages`): whoever sees this one sees all before it that there will ever be.
 */
export async function newestPosition(db: Queryable): Promise<number> {
  const [row] = await db.run(newest)
  return row?.[0] ?? 0
}
