import t from 'tap'
import { migrateDatabase } from '../../src/database/migrate.ts'
import { StartupError } from '../../src/startup-error.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'

await t.test('a server refuses a database that a newer one has migrated', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  await migrateDatabase(database.url)

  await execute(
    database.url,
    `insert into drizzle.__drizzle_migrations (hash, created_at)
    select 'later', max(created_at) + 1 from drizzle.__drizzle_migrations`,
  )
  const refused = await migrateDatabase(database.url).catch((error: unknown) => error)
  t.ok(refused instanceof StartupError)
  t.equal(
    (refused as Error).message,
    'The database has a newer schema than this server knows: start the server that made it, or a newer one.',
  )

  await execute(database.url, "delete from drizzle.__drizzle_migrations where hash = 'later'")
  await migrateDatabase(database.url)
})
