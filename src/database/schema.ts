/**
 * Every table, as drizzle-kit reads it. Comments for the DBA are in the migrations
 * (`COMMENT ON`), because drizzle has no word for them; a test keeps them complete.
 */
export * from './schema/accounts.ts'
export * from './schema/chats.ts'
export * from './schema/files.ts'
export * from './schema/imports.ts'
export * from './schema/publishing.ts'
