import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { pino } from 'pino'
import t from 'tap'
import { announceServer, PRESENCE } from '../../src/database/presence.ts'
import { StartupError } from '../../src/startup-error.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const log = pino({ level: 'silent' })
const database = await createTestDatabase()
const importer = new pg.Client({ connectionString: database.url })
await importer.connect()
t.teardown(async () => {
  await importer.end()
  await database.drop()
})

async function asks(call: 'pg_try_advisory_lock' | 'pg_advisory_unlock'): Promise<boolean> {
  const { rows } = await importer.query<{ done: boolean }>(`select ${call}($1, $2) as done`, [
    ...PRESENCE,
  ])
  return rows[0]?.done === true
}

await t.test('servers share a database that no import may enter meanwhile', async (t) => {
  const one = await announceServer(database.url, log)
  const other = await announceServer(database.url, log)
  t.equal(await asks('pg_try_advisory_lock'), false)
  await one.end()
  t.equal(await asks('pg_try_advisory_lock'), false, 'the other one is still there')
  await other.end()
  t.equal(await asks('pg_try_advisory_lock'), true)

  await t.rejects(
    announceServer(database.url, log),
    new StartupError('An import is running on this database: start when it has ended.'),
  )
  await asks('pg_advisory_unlock')
})

await t.test('a server whose connection is lost announces itself again', async (t) => {
  const server = await announceServer(database.url, log)
  const announced = async () => {
    const { rows } = await importer.query<{ pid: number }>(
      "select pid from pg_locks where locktype = 'advisory' and classid = $1 and objid = $2",
      [...PRESENCE],
    )
    return rows[0]?.pid
  }
  const first = await announced()
  await importer.query('select pg_terminate_backend($1)', [first])
  let second: number | undefined
  while (second === undefined || second === first) {
    await sleep(20)
    second = await announced()
  }
  t.not(second, first)
  await server.end()
  t.equal(await asks('pg_try_advisory_lock'), true)
  await asks('pg_advisory_unlock')
})

await t.test('a server that starts over an unfinished import says so', async (t) => {
  const warnings: string[] = []
  const told = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) })
  const start = async () => (await announceServer(database.url, told)).end()
  await importer.query("insert into imports (source, dump_digest) values ('/dump', 'x')")
  await start()
  t.equal(warnings.length, 1)
  t.match(warnings[0], 'the import of /dump was cut off: not everything is here, run it again')
  await importer.query('update imports set finished_at = now()')
  await start()
  t.equal(warnings.length, 1)
})
