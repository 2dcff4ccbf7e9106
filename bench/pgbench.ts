/** What PostgreSQL alone needs: a floor's statement by pgbench, and a commit. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { floors } from './floors/statements.ts'
import { cpuOfEnded, execute } from './lib/cluster.ts'
import { postmasterOf } from './lib/cpu.ts'
import { median, quantile } from './lib/table.ts'
import { idOf, LONG } from './lib/world.ts'

const TRANSACTIONS = 5_000
const COMMITS = 300

/**
 * CPU microseconds of the database for the statement behind `/message/friend`, sent by pgbench.
 *
 * @returns undefined where pgbench is not installed
 */
export async function measurePgbench(databaseUrl: string): Promise<number | undefined> {
  const [page] = floors
  if (page === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-bench-pgbench-'))
  const script = join(folder, 'page.sql')
  const names = ['user_id', 'friend_id', 'page']
  await writeFile(script, `${page.text.replace(/\$(\d)/g, (_, n) => `:${names[Number(n) - 1]}`)};`)
  const values = [idOf('user', LONG.user), idOf('user', LONG.friend), '1']
  const variables = names.flatMap((name, index) => ['-D', `${name}=${values[index]}`])
  const postmaster = await postmasterOf(databaseUrl)
  const before = await cpuOfEnded(postmaster)
  try {
    const options = ['-n', '-M', 'prepared', '-t', String(TRANSACTIONS), '-f', script]
    await promisify(execFile)('pgbench', [...options, ...variables, databaseUrl], {
      env: { ...process.env, PGOPTIONS: '-c plan_cache_mode=force_generic_plan' },
    })
    await backendsEnded(databaseUrl)
    return ((await cpuOfEnded(postmaster)) - before) / TRANSACTIONS
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Resolves when the backends of pgbench are gone, which is a moment later than pgbench itself. */
async function backendsEnded(databaseUrl: string): Promise<void> {
  const text = `select from pg_stat_activity where application_name = 'pgbench'`
  while ((await execute(databaseUrl, text)).rowCount !== 0) await pause(10)
  // The postmaster learns of it, and adds up its time, after that.
  await pause(500)
}

/** Milliseconds that storing one row durably takes, one after the other. */
export async function measureCommit(url: string): Promise<{ median: number; p99: number }> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const times: number[] = []
  try {
    await client.query('create table commits (at timestamptz)')
    for (let n = 0; n < COMMITS; n += 1) {
      const start = performance.now()
      await client.query('insert into commits values (now())')
      times.push(performance.now() - start)
    }
    await client.query('drop table commits')
  } finally {
    await client.end()
  }
  return { median: median(times), p99: quantile(times, 0.99) }
}
