import { isUser, ofKnownUser } from '../accounts/queries.ts'
import { plainArray, type Queryable, statement } from '../database/connection.ts'
import type { Conversation, Friendship, GroupMember, Message } from '../database/schema.ts'

/** Messages a page (behaviour.md 6). */
const PAGE = 20
/** Conversations that the message list shows at most. */
const MOST_LISTED = 1000

/** A message that has been checked and waits to be stored. */
export interface NewMessage {
  readonly id: string
  readonly conversation: Conversation['kind']
  readonly senderId: string
  /** The friend or the group that it is for. */
  readonly targetId: string
  readonly kind: Message['kind']
  readonly body: string
  readonly sentAt: Date
}

/** A stored message's place, and what its receivers are shown of sender and group. */
export type StoredRow = [
  ordinal: number,
  position: number,
  senderNick: string,
  senderAvatarUrl: string,
  groupName: string | null,
  groupAvatarUrl: string | null,
  membersVersion: number | null,
]

const stored = statement<StoredRow>(
  'messages_store',
  `select * from store_messages($1::text[], $2::conversation_kind[], $3::text[], $4::text[],
    $5::message_kind[], $6::text[], $7::timestamptz[], $8)`,
)

/**
 * Stores messages that arrived together, in one transaction. Gives a row, in order of position,
 * for each that was allowed; `ordinal` counts from 1.
 *
 * @param repeated whether the same messages may have been stored by an earlier call
 */
export function storeMessages(
  db: Queryable,
  batch: readonly NewMessage[],
  repeated: boolean,
): Promise<StoredRow[]> {
  return db.run(stored, [
    plainArray(batch.map(({ id }) => id)),
    plainArray(batch.map(({ conversation }) => conversation)),
    plainArray(batch.map(({ senderId }) => senderId)),
    plainArray(batch.map(({ targetId }) => targetId)),
    plainArray(batch.map(({ kind }) => kind)),
    batch.map(({ body }) => body),
    plainArray(batch.map(({ sentAt }) => sentAt.toISOString())),
    repeated,
  ])
}

const held = statement('messages_hold', 'select pg_advisory_xact_lock(30566, 1)')

/**
 * From here until the transaction ends nobody stores a message (the lock of `store_messages`):
 * what is said before and after the change is clear, whichever process it comes through.
 */
export async function holdMessages(tx: Queryable): Promise<void> {
  await tx.run(held)
}

const targets = statement<[user: boolean, target: boolean]>(
  'messages_known_targets',
  `select exists (select from users where id = $1),
    case $3 when 'private' then exists (select from users where id = $2)
    else exists (select from groups where id = $2 and dissolved_at is null) end`,
)

/** Whether both ends of a refused message exist: the reason it was refused for. */
export async function knowsBothEnds(
  db: Queryable,
  { senderId, targetId, conversation }: NewMessage,
): Promise<boolean> {
  const [row] = await db.run(targets, [senderId, targetId, conversation])
  return row?.[0] === true && row[1]
}

/** The two people on every row, and one message; the message is null where there is none. */
export type FriendPageRow = [
  nick: string,
  avatarUrl: string,
  friendNick: string,
  friendAvatarUrl: string,
  state: Friendship['state'] | null,
  readByMe: number,
  readByFriend: number,
  id: string | null,
  seq: number,
  senderId: string,
  kind: Message['kind'],
  body: string,
  sentAt: Date,
]

const friendPage = statement<FriendPageRow>(
  'messages_friend_page',
  `select me.nick, me.avatar_url, friend.nick, friend.avatar_url,
    mine.state, mine.read_seq, theirs.read_seq,
    m.id, m.seq, m.sender_id, m.kind, m.body, m.sent_at
  from users me
  cross join users friend
  left join friendships mine on mine.user_id = $1 and mine.friend_id = $2
  left join friendships theirs on theirs.user_id = $2 and theirs.friend_id = $1
  left join conversations c on mine.state = 'accepted' and c.id = mine.conversation_id
  left join lateral (
    select * from messages
    where conversation_id = c.id and seq > c.last_seq - $3::bigint * ${PAGE}
      and seq <= c.last_seq - ($3::bigint - 1) * ${PAGE}
    order by seq limit ${PAGE}
  ) m on true
  where me.id = $1 and friend.id = $2`,
)

/**
 * A page of what two people said, oldest first; page 1 is the newest. At least one row when both
 * exist, with the state of their friendship; none when one of them does not.
 */
export async function friendMessagePage(
  db: Queryable,
  userId: string,
  friendId: string,
  page: number,
): Promise<FriendPageRow[]> {
  const rows = await db.run(friendPage, [userId, friendId, page])
  // They come in this order, but a join does not promise it; asking for it costs a tenth more.
  return rows.sort((one, other) => one[8] - other[8])
}

/** The group on every row, and one message; the message is null where there is none. */
export type GroupPageRow = [
  groupName: string,
  state: GroupMember['state'] | null,
  id: string | null,
  seq: number,
  senderId: string,
  senderNick: string,
  senderAvatarUrl: string,
  kind: Message['kind'],
  body: string,
  sentAt: Date,
]

const groupPage = statement<GroupPageRow>(
  'messages_group_page',
  `select g.name, mine.state, m.id, m.seq, m.sender_id, u.nick, u.avatar_url,
    m.kind, m.body, m.sent_at
  from groups g
  left join group_members mine on mine.user_id = $1 and mine.group_id = $2
  left join conversations c on mine.state = 'member' and c.group_id = $2
  left join lateral (
    select * from messages
    where conversation_id = c.id and seq > c.last_seq - $3::bigint * ${PAGE}
      and seq <= c.last_seq - ($3::bigint - 1) * ${PAGE}
    order by seq limit ${PAGE}
  ) m on true
  left join users u on u.id = m.sender_id
  where g.id = $2 and g.dissolved_at is null`,
)

/**
 * A page of what was said in a group, as `friendMessagePage` gives it; no row when the group or
 * the user does not exist.
 */
export async function groupMessagePage(
  db: Queryable,
  userId: string,
  groupId: string,
  page: number,
): Promise<GroupPageRow[]> {
  const rows = await db.run(groupPage, [userId, groupId, page])
  // Only whoever has nothing to do with the group may be nobody at all.
  if (rows[0]?.[1] === null && !(await isUser(db, userId))) return []
  return rows.sort((one, other) => one[3] - other[3])
}

/** A conversation with its newest message. */
export type ConversationRow = readonly [
  conversation: Conversation['kind'],
  otherId: string,
  name: string,
  avatarUrl: string,
  messageId: string,
  kind: Message['kind'],
  body: string,
  sentAt: Date,
  unread: number,
]

const conversationList = statement<ConversationRow>(
  'messages_conversation_list',
  `select c.kind, u.id, u.nick, u.avatar_url, m.id, m.kind, m.body, m.sent_at,
    c.last_seq - f.read_seq - (f.sent_total - f.sent_when_read), m.position
  from friendships f
  join conversations c on c.id = f.conversation_id
  join messages m on m.conversation_id = c.id and m.seq = c.last_seq
  join users u on u.id = f.friend_id
  where f.user_id = $1 and f.state = 'accepted'
  union all
  select c.kind, g.id, g.name, g.avatar_url, m.id, m.kind, m.body, m.sent_at,
    c.last_seq - gm.read_seq - (gm.sent_total - gm.sent_when_read), m.position
  from group_members gm
  join groups g on g.id = gm.group_id and g.dissolved_at is null
  join conversations c on c.group_id = g.id
  join messages m on m.conversation_id = c.id and m.seq = c.last_seq
  where gm.user_id = $1 and gm.state = 'member'
  order by sent_at desc, position desc limit ${MOST_LISTED}`,
)

/** Somebody's conversations that have a message, newest first; undefined for an unknown user. */
export async function listConversations(
  db: Queryable,
  userId: string,
): Promise<ConversationRow[] | undefined> {
  return ofKnownUser(db, userId, await db.run(conversationList, [userId]))
}

// `seen` is one snapshot: what is sent meanwhile counts against the sent_total that it saw.
const readFromFriend = statement<[known: boolean]>(
  'messages_read_friend',
  `with seen as materialized (
    select f.id, f.sent_total, c.last_seq
    from friendships f join conversations c on c.id = f.conversation_id
    where f.user_id = $1 and f.friend_id = $2 and f.state = 'accepted'
  ), read as (
    update friendships f set read_seq = seen.last_seq, sent_when_read = seen.sent_total
    from seen where f.id = seen.id and f.read_seq < seen.last_seq
  )
  select exists (select from users where id = $1) and exists (select from users where id = $2)`,
)
const readInGroup = statement<[known: boolean]>(
  'messages_read_group',
  `with seen as materialized (
    select gm.id, gm.sent_total, c.last_seq
    from group_members gm join conversations c on c.group_id = gm.group_id
    where gm.user_id = $1 and gm.group_id = $2 and gm.state = 'member'
  ), read as (
    update group_members gm set read_seq = seen.last_seq, sent_when_read = seen.sent_total
    from seen where gm.id = seen.id and gm.read_seq < seen.last_seq
  )
  select exists (select from users where id = $1)
    and exists (select from groups where id = $2 and dissolved_at is null)`,
)

/** `userId` has read all that is there now; false when there is no such user, friend or group. */
export async function markRead(
  db: Queryable,
  conversation: Conversation['kind'],
  userId: string,
  otherId: string,
): Promise<boolean> {
  const query = conversation === 'private' ? readFromFriend : readInGroup
  const [row] = await db.run(query, [userId, otherId])
  return row?.[0] === true
}
