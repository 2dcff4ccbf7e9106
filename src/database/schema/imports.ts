/** The tables of the move from MongoDB, which only `src/migrate/` reads and writes. */
import {
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
} from 'drizzle-orm/pg-core'
import { bytes, instant, objectId } from '../columns.ts'

/** The original's collections, and one for groups that were dissolved here. */
export const sourceCollection = pgEnum('source_collection', [
  'users',
  'friends',
  'groups',
  'dissolved_groups',
  'group_users',
  'private_chats',
  'group_chats',
  'spaces',
  'space_comments',
  'space_likes',
  'notes',
])

/** Runs of the import that changed something or did not finish. */
export const imports = pgTable('imports', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  source: text().notNull(),
  dumpDigest: bytes().notNull(),
  timezone: text(),
  startedAt: instant().notNull().defaultNow(),
  finishedAt: instant(),
  counts: jsonb(),
})

/** Which documents were imported, and what of them no column holds. */
export const importedDocuments = pgTable(
  'imported_documents',
  {
    collection: sourceCollection().notNull(),
    id: objectId().notNull(),
    digest: bytes().notNull(),
    importId: integer()
      .notNull()
      .references(() => imports.id),
    read: boolean(),
    mended: text().array(),
    remainder: json(),
  },
  (t) => [primaryKey({ name: 'imported_documents_pkey', columns: [t.collection, t.id] })],
)

/** Documents that no row can stand for, whole. */
export const quarantine = pgTable(
  'quarantine',
  {
    collection: text().notNull(),
    digest: bytes().notNull(),
    documentId: text(),
    reason: text().notNull(),
    detail: text().notNull().default(''),
    document: jsonb(),
    documentText: text().notNull(),
    importId: integer()
      .notNull()
      .references(() => imports.id),
    quarantinedAt: instant().notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'quarantine_pkey', columns: [t.collection, t.digest] }),
    index('quarantine_document_idx').on(t.collection, t.documentId),
  ],
)
