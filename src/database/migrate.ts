import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { StartupError } from '../startup-error.ts'

const MIGRATIONS = { migrationsFolder: fileURLToPath(new URL('../../migrations', import.meta.url)) }
/** 'wf', 0: see also 'wf', 1 in `store_messages`. */
const LOCK = [30_566, 0]

/**
 * Brings the schema up to date, one process at a time.
 *
 * @param url postgres:// address
 * @throws StartupError when the database cannot be reached within 2 s, is too old, has a newer
 *   schema than this server knows, or refuses
 */
export async function migrateDatabase(url: string): Promise<void> {
  const client = await connect(url)
  try {
    const { rows } = await client.query<{ version: number }>(
      "select current_setting('server_version_num')::int as version",
    )
    const version = rows[0]?.version ?? 0
    if (version < 150_000) {
      throw new StartupError('The database is older than PostgreSQL 15, the oldest that works.')
    }
    // drizzle's migrator is not safe when several servers start at once.
    await client.query('select pg_advisory_lock($1, $2)', LOCK)
    await client.query("set client_min_messages = 'warning'")
    await refuseNewer(client)
    await migrate(drizzle(client), MIGRATIONS)
    await refreshReaders(client)
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    if (!(cause instanceof pg.DatabaseError)) throw error
    throw new StartupError(`The database cannot be brought up to date: ${reason(cause)}.`)
  } finally {
    // Ending the session releases the lock.
    await client.end()
  }
}

/** Migrations are known by the moment at which they were written. */
async function refuseNewer(client: pg.Client): Promise<void> {
  const { rows: tables } = await client.query<{ made: boolean }>(
    "select to_regclass('drizzle.__drizzle_migrations') is not null as made",
  )
  if (tables[0]?.made !== true) return
  const { rows } = await client.query<{ newest: string | null }>(
    'select max(created_at) as newest from drizzle.__drizzle_migrations',
  )
  const known = Math.max(...readMigrationFiles(MIGRATIONS).map(({ folderMillis }) => folderMillis))
  if (Number(rows[0]?.newest) <= known) return
  throw new StartupError(
    'The database has a newer schema than this server knows: start the server that made it, or a newer one.',
  )
}

/** What migrations made may be read by those who read the rest; only the owner can see to that. */
async function refreshReaders(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ may: boolean }>(
    "select has_function_privilege('refresh_readers()', 'execute') as may",
  )
  if (rows[0]?.may === true) await client.query('select refresh_readers()')
}

async function connect(url: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => undefined)
    await client.connect()
    return client
  } catch (error) {
    throw new StartupError(`The database cannot be reached: ${reason(error)}.`)
  }
}

function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0])
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}
