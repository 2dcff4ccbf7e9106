import t from 'tap'
import { readFile } from 'node:fs/promises'
import { migrateDatabase } from '../../src/database/migrate.ts'
import { StartupError } from '../../src/startup-error.ts'
import { createTestDatabase, databaseUrl, execute } from '../helpers/databases.ts'

const journal = new URL('../../migrations/meta/_journal.json', import.meta.url)
const { entries } = JSON.parse(await readFile(journal, 'utf8')) as { entries: unknown[] }

/** Whatever the migrations made, as text. */
async function shape(url: string): Promise<unknown[]> {
  const { rows } = await execute(
    url,
    `select relname || '.' || attname || ' ' || format_type(atttypid, atttypmod) as line
    from pg_class join pg_attribute on attrelid = pg_class.oid
    where relnamespace = 'public'::regnamespace and attnum > 0
    union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
    union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace
    order by 1`,
  )
  return rows as unknown[]
}

const migrated = await createTestDatabase()
const empty = await createTestDatabase('empty')
t.teardown(async () => {
  await migrated.drop()
  await empty.drop()
})

await t.test('several servers that start at once make the schema once', async (t) => {
  await Promise.all(Array.from({ length: 6 }, () => migrateDatabase(empty.url)))
  const { rows } = await execute(empty.url, 'select hash from drizzle.__drizzle_migrations')
  t.equal(rows.length, entries.length)
  t.same(await shape(empty.url), await shape(migrated.url))
})

await t.test('a second time nothing changes', async (t) => {
  const before = await shape(empty.url)
  const applied = 'select * from drizzle.__drizzle_migrations'
  const { rows } = await execute(empty.url, applied)
  await migrateDatabase(empty.url)
  t.same(await shape(empty.url), before)
  t.same((await execute(empty.url, applied)).rows, rows)
  const locks = await execute(
    empty.url,
    `select from pg_locks join pg_database d on d.oid = database
    where locktype = 'advisory' and datname = current_database()`,
  )
  t.equal(locks.rowCount, 0)
})

await t.test('what stands in the way is said in one sentence', async (t) => {
  const refused = async (url: string, message: RegExp) => {
    const error: unknown = await migrateDatabase(url).catch((cause: unknown) => cause)
    t.ok(error instanceof StartupError)
    t.match((error as Error).message, message)
  }
  await refused('postgres://a:b@127.0.0.1:1/x', /^The database cannot be reached: .*1\.$/)
  await refused('postgres://%E0%A4%A@127.0.0.1/x', /^The database cannot be reached: .*\.$/)
  const nowhere = databaseUrl(empty.url, 'not_there')
  await refused(nowhere, /^The database cannot be reached: database "not_there" does not exist\.$/)

  const readOnly = await createTestDatabase('empty')
  t.teardown(() => readOnly.drop())
  const name = new URL(readOnly.url).pathname.slice(1)
  await execute(readOnly.url, `alter database ${name} set default_transaction_read_only = on`)
  await refused(readOnly.url, /^The database cannot be brought up to date: .* read-only .*\.$/)
})
