/** People, and the sockets that speak for them. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, date, index, pgEnum, pgTable, text } from 'drizzle-orm/pg-core'
import { byteText, bytes, instant, objectId } from '../columns.ts'

export const userSex = pgEnum('user_sex', ['unknown', 'male', 'female'])

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
    // The one exception stands for everybody who was erased (see the function erase_user).
    check(
      'users_phone_check',
      sql`${t.phone} ~ '^1[3-9][0-9]{9}$' or ${t.id} = '000000000000000000000000'`,
    ),
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

/** For whom a socket speaks, so that it still does after a lost connection or a restart. */
export const socketSessions = pgTable(
  'socket_sessions',
  {
    pidHash: text().primaryKey(),
    userId: objectId()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    explicit: boolean().notNull(),
    startPosition: bigint({ mode: 'number' }).notNull().default(0),
    createdAt: instant().notNull().defaultNow(),
    seenAt: instant().notNull().defaultNow(),
  },
  (t) => [
    check('socket_sessions_pid_hash_check', sql`${t.pidHash} ~ '^[0-9a-f]{64}$'`),
    index('socket_sessions_user_idx').on(t.userId),
    index('socket_sessions_seen_idx').on(t.seenAt),
  ],
)

/** What erase_user deleted for good, so that no import brings it back. */
export const erasedIds = pgTable('erased_ids', {
  idDigest: bytes().primaryKey(),
  erasedAt: instant().notNull().defaultNow(),
})
