/** Who may talk with whom, and what was said. */
import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  foreignKey,
  index,
  pgEnum,
  pgTable,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { byteText, count, instant, objectId } from '../columns.ts'
import { users } from './accounts.ts'

export const friendshipState = pgEnum('friendship_state', ['requested', 'accepted', 'received'])
export const memberState = pgEnum('group_member_state', ['requested', 'member'])
export const conversationKind = pgEnum('conversation_kind', ['private', 'group'])
export const messageKind = pgEnum('message_kind', [
  'text',
  'picture',
  'video',
  'file',
  'emoji',
  'markdown',
  'voice_call',
  'video_call',
  'screen_share',
])

/** One direction of a friendship; the mirror row is guaranteed by a foreign key. */
export const friendships = pgTable(
  'friendships',
  {
    id: objectId().primaryKey(),
    userId: objectId()
      .notNull()
      .references(() => users.id),
    friendId: objectId()
      .notNull()
      .references(() => users.id),
    state: friendshipState().notNull(),
    mirrorState: friendshipState()
      .notNull()
      .generatedAlwaysAs(
        sql`case state when 'requested' then 'received'::friendship_state when 'received' then 'requested'::friendship_state else 'accepted'::friendship_state end`,
      ),
    conversationId: bigint({ mode: 'number' }).references(() => conversations.id),
    startSeq: count(),
    readSeq: count(),
    sentTotal: count(),
    sentWhenRead: count(),
    createdAt: instant().notNull().defaultNow(),
  },
  (t) => [
    unique('friendships_pair_key').on(t.userId, t.friendId),
    unique('friendships_pair_state_key').on(t.userId, t.friendId, t.state),
    foreignKey({
      name: 'friendships_mirror_fkey',
      columns: [t.friendId, t.userId, t.mirrorState],
      foreignColumns: [t.userId, t.friendId, t.state],
    }),
    check('friendships_not_self_check', sql`${t.userId} <> ${t.friendId}`),
    check(
      'friendships_conversation_check',
      sql`${t.state} <> 'accepted' or ${t.conversationId} is not null`,
    ),
    check('friendships_position_check', sql`${t.sentWhenRead} between 0 and ${t.sentTotal}`),
    index('friendships_friend_idx').on(t.friendId),
    index('friendships_conversation_idx').on(t.conversationId),
  ],
)
export type Friendship = typeof friendships.$inferSelect

export const groups = pgTable(
  'groups',
  {
    id: objectId().primaryKey(),
    ownerId: objectId()
      .notNull()
      .references(() => users.id),
    name: text().notNull(),
    number: bigint({ mode: 'number' }).notNull().unique(),
    sign: text().notNull(),
    avatarUrl: text().notNull().default('/group_pic.png'),
    membersVersion: count(),
    createdAt: instant().notNull().defaultNow(),
    dissolvedAt: instant(),
  },
  (t) => [
    check('groups_name_check', sql`${t.name} <> '' and char_length(${t.name}) <= 15`),
    check('groups_sign_check', sql`char_length(${t.sign}) <= 50`),
    index('groups_owner_idx').on(t.ownerId),
  ],
)
export type Group = typeof groups.$inferSelect

/** Like `user_nick_suffixes`, for the names of groups that are not dissolved. */
export const groupNameSuffixes = pgTable(
  'group_name_suffixes',
  {
    groupId: objectId()
      .notNull()
      .references(() => groups.id, { onDelete: 'cascade' }),
    suffix: byteText().notNull(),
  },
  (t) => [
    index('group_name_suffixes_suffix_idx').on(t.suffix, t.groupId),
    index('group_name_suffixes_group_idx').on(t.groupId),
  ],
)

export const groupMembers = pgTable(
  'group_members',
  {
    id: objectId().primaryKey(),
    groupId: objectId()
      .notNull()
      .references(() => groups.id),
    userId: objectId()
      .notNull()
      .references(() => users.id),
    state: memberState().notNull(),
    startSeq: count(),
    readSeq: count(),
    sentTotal: count(),
    sentWhenRead: count(),
    createdAt: instant().notNull().defaultNow(),
    joinedAt: instant(),
  },
  (t) => [
    unique('group_members_user_key').on(t.userId, t.groupId),
    check('group_members_joined_check', sql`(${t.state} = 'member') = (${t.joinedAt} is not null)`),
    check('group_members_position_check', sql`${t.sentWhenRead} between 0 and ${t.sentTotal}`),
    index('group_members_group_idx').on(t.groupId, t.state, t.joinedAt, t.id),
  ],
)
export type GroupMember = typeof groupMembers.$inferSelect

/** A pair of users or a group; it numbers its messages. */
export const conversations = pgTable(
  'conversations',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    kind: conversationKind().notNull(),
    lowUserId: objectId().references(() => users.id),
    highUserId: objectId().references(() => users.id),
    groupId: objectId().references(() => groups.id),
    lastSeq: count(),
    lastPosition: count(),
  },
  (t) => [
    uniqueIndex('conversations_pair_key').on(t.lowUserId, t.highUserId),
    uniqueIndex('conversations_group_key').on(t.groupId),
    check(
      'conversations_kind_check',
      sql`case ${t.kind} when 'private' then ${t.groupId} is null and ${t.lowUserId} < ${t.highUserId} else ${t.groupId} is not null and ${t.lowUserId} is null and ${t.highUserId} is null end`,
    ),
  ],
)
export type Conversation = typeof conversations.$inferSelect

export const messages = pgTable(
  'messages',
  {
    id: objectId().primaryKey(),
    conversationId: bigint({ mode: 'number' })
      .notNull()
      .references(() => conversations.id),
    seq: bigint({ mode: 'number' }).notNull(),
    position: bigint({ mode: 'number' }).notNull(),
    senderId: objectId()
      .notNull()
      .references(() => users.id),
    kind: messageKind().notNull(),
    body: text().notNull(),
    sentAt: instant().notNull(),
  },
  (t) => [
    unique('messages_seq_key').on(t.conversationId, t.seq),
    unique('messages_position_key').on(t.position),
    check('messages_seq_check', sql`${t.seq} > 0`),
  ],
)
export type Message = typeof messages.$inferSelect
