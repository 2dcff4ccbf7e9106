/** What people publish: moments with their comments and likes, and notes. */
import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgTable, text, unique } from 'drizzle-orm/pg-core'
import { instant, objectId } from '../columns.ts'
import { users } from './accounts.ts'

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
