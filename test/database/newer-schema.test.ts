import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { migrateDatabase } from '../../src/database/migrate.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'
import { makeFolder } from './embedded-support.ts'

const database = await createTestDatabase()
t.teardown(() => database.drop())
const folder = await makeFolder(t)
const SENTENCE =
  'The database has a newer schema than this server knows: start the server that made it, or a newer one.\n'

/** Runs a program of the server on the database; gives its exit code and what it wrote. */
async function run(program: string, args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', `src/${program}.ts`, ...args], {
    cwd: new URL('../..', import.meta.url),
    env: {
      ...process.env,
      ...{ DATABASE_URL: database.url, DATA_DIR: folder, UPLOAD_DIR: folder },
      ...{ LOG_LEVEL: 'silent', PORT: '0', SOCKET_PORT: '0' },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[code: number | null]>,
  ])
  return { code, stdout, stderr }
}

await t.test('a newer schema is refused by the server and by every command', async (t) => {
  await migrateDatabase(database.url)
  await execute(
    database.url,
    `insert into drizzle.__drizzle_migrations (hash, created_at)
    select 'later', max(created_at) + 1 from drizzle.__drizzle_migrations`,
  )
  const programs: [string, string[]][] = [
    ['main', []],
    ['database/commands/health', []],
    ['database/commands/reader', ['report']],
    ['database/commands/gate', []],
    ['database/commands/erase', ['13800000001']],
    ['migrate/import', [folder]],
    ['migrate/verify', [folder]],
    ['migrate/export', [folder]],
  ]
  const page = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { scripts } = JSON.parse(page) as { scripts: Record<string, string> }
  const all = Object.values(scripts).flatMap((line) => /src\/(\S+)\.ts$/.exec(line)?.[1] ?? [])
  t.same(programs.map(([program]) => program).sort(), all.sort(), 'none is left out')
  for (const [program, args] of programs) {
    t.same(await run(program, args), { code: 1, stdout: '', stderr: SENTENCE }, program)
  }

  await execute(database.url, "delete from drizzle.__drizzle_migrations where hash = 'later'")
  t.match(await run('database/commands/health', []), { code: 0 })
})
