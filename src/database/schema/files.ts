/** What people upload. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, index, integer, pgEnum, pgTable, text } from 'drizzle-orm/pg-core'
import { instant, objectId } from '../columns.ts'
import { users } from './accounts.ts'

export const fileKind = pgEnum('file_kind', [
  'user_avatar',
  'group_avatar',
  'space_photo',
  'chat_picture',
  'chat_file',
])

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
    uploadKey: text().unique('files_upload_key_unique'),
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
