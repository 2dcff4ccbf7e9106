/**
 * Every table, as drizzle-kit reads it. Comments for the DBA are in the migrations
 * (`COMMENT ON`), because drizzle has no word for them; a test keeps them complete.
 */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  date,
  foreignKey,
  index,
  integer,
  pgEnum,
  pgTable,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { byteText, instant, objectId } from './columns.ts'

export * from './import-schema.ts'

const count = () => bigint({ mode: 'number' }).notNull().default(0)

export const userSex = pgEnum('user_sex', ['unknown', 'male', 'female'])
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
export const fileKind = pgEnum('file_kind', [
  'user_avatar',
  'group_avatar',
  'space_photo',
  'chat_picture',
  'chat_file',
])

export const users = pgTable(
  'users',
  {
    id: objectId().primaryKey(),
    phone: text().notNull().unique(),
    waifCode: text().generatedAlwaysAs(sql`'WaiFCode_' || phone`),
    passwordHash: text().notNull(),
    nick: text().notNull(),
    avatarUrl: text().notNull().default('/user_pic1.jpeg'),
    sex: userSex().notNull().default('unknown'),
    birthday: date({ mode: 'string' }),
    sign: text().notNull().default('这个人很高冷, 暂时没有留下什么'),
    createdAt: instant().notNull().defaultNow(),
  },
  (t) => [
    check('users_phone_check', sql`${t.phone} ~ '^1[3-9][0-9]{9}$'`),
    check('users_nick_check', sql`${t.nick} <> '' and char_length(${t.nick}) <= 15`),
    check('users_sign_check', sql`char_length(${t.sign}) <= 50`),
  ],
)
export type User = typeof users.$inferSelect

/** Substring search as prefix search: every suffix of every nick, kept by a trigger. */
export const userNickSuffixes = pgTable(
  'user_nick_suffixes',
  {
    userId: objectId()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    suffix: byteText().notNull(),
  },
  (t) => [
    index('user_nick_suffixes_suffix_idx').on(t.suffix, t.userId),
    index('user_nick_suffixes_user_idx').on(t.userId),
  ],
)

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

/** For whom a socket speaks, so that it still does after a lost connection or a restart. */
export const socketSessions = pgTable(
  'socket_sessions',
  {
    pidHash: text().primaryKey(),
    userId: objectId()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    explicit: boolean().notNull(),
    createdAt: instant().notNull().defaultNow(),
    seenAt: instant().notNull().defaultNow(),
  },
  (t) => [
    check('socket_sessions_pid_hash_check', sql`${t.pidHash} ~ '^[0-9a-f]{64}$'`),
    index('socket_sessions_user_idx').on(t.userId),
    index('socket_sessions_seen_idx').on(t.seenAt),
  ],
)

/** A moment in somebody's space. */
export const spaces = pgTable(
  'spaces',
  {
    id: objectId().primaryKey(),
    authorId: objectId()
      .notNull()
      .references(() => users.id),
    body: text().notNull().default(''),
    photos: text().array().notNull().default([]),
    createdAt: instant().notNull().defaultNow(),
  },
  (t) => [
    check('spaces_not_empty_check', sql`${t.body} <> '' or cardinality(${t.photos}) > 0`),
    index('spaces_author_idx').on(t.authorId, t.createdAt, t.id),
  ],
)
export type Space = typeof spaces.$inferSelect

/** A comment on a space (`parent_id` null) or a reply to such a comment. */
export const comments = pgTable(
  'comments',
  {
    id: objectId().primaryKey(),
    spaceId: objectId()
      .notNull()
      .references(() => spaces.id, { onDelete: 'cascade' }),
    parentId: objectId(),
    authorId: objectId()
      .notNull()
      .references(() => users.id),
    recipientId: objectId()
      .notNull()
      .references(() => users.id),
    body: text().notNull(),
    createdAt: instant().notNull().defaultNow(),
  },
  (t) => [
    unique('comments_space_key').on(t.spaceId, t.id),
    foreignKey({
      name: 'comments_parent_fkey',
      columns: [t.spaceId, t.parentId],
      foreignColumns: [t.spaceId, t.id],
    }).onDelete('cascade'),
    index('comments_parent_idx').on(t.parentId),
  ],
)
export type Comment = typeof comments.$inferSelect

export const spaceLikes = pgTable(
  'space_likes',
  {
    id: objectId().primaryKey(),
    spaceId: objectId()
      .notNull()
      .references(() => spaces.id, { onDelete: 'cascade' }),
    userId: objectId()
      .notNull()
      .references(() => users.id),
    createdAt: instant().notNull().defaultNow(),
  },
  (t) => [unique('space_likes_user_key').on(t.spaceId, t.userId)],
)

/** A sticky note on the public wall. */
export const notes = pgTable(
  'notes',
  {
    id: objectId().primaryKey(),
    authorId: objectId()
      .notNull()
      .references(() => users.id),
    body: text().notNull(),
    color: text().notNull().default('#fff5a8'),
    writtenAt: instant().notNull(),
    createdAt: instant().notNull().defaultNow(),
  },
  (t) => [index('notes_newest_idx').on(t.createdAt, t.id)],
)
export type Note = typeof notes.$inferSelect

/** What users uploaded; only names in this table are ever served. */
export const files = pgTable(
  'files',
  {
    storedName: text().primaryKey(),
    originalName: text().notNull(),
    kind: fileKind().notNull(),
    mediaType: text().notNull(),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    sha256: text().notNull(),
    uploadKey: text().unique(),
    proven: boolean().notNull().default(true),
    chunkCount: integer(),
    uploaderId: objectId().references(() => users.id),
    createdAt: instant().notNull().defaultNow(),
  },
  (t) => [
    check('files_sha256_check', sql`${t.sha256} ~ '^[0-9a-f]{64}$'`),
    check('files_upload_key_check', sql`${t.uploadKey} ~ '^[0-9a-f]{32}$'`),
    check('files_size_check', sql`${t.sizeBytes} >= 0`),
    index('files_uploader_idx').on(t.uploaderId),
    index('files_created_idx').on(t.createdAt),
  ],
)
export type StoredFile = typeof files.$inferSelect
