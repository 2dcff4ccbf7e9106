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

await t.test('every command opens the database in the same way', async (t) => {
  const page = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { scripts } = JSON.parse(page) as { scripts: Record<string, string> }
  const commands = Object.values(scripts).flatMap((line) => /src\/\S+\/\S+\.ts$/.exec(line) ?? [])
  t.ok(commands.length >= 7, String(commands))
  for (const path of commands) {
    const source = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
    t.match(source, /^await (runOnDatabase|runCommand|runMigration)\(/m, path)
  }
})

await t.test('a newer schema is refused by the server and by commands', async (t) => {
  await migrateDatabase(database.url)
  await execute(
    database.url,
    `insert into drizzle.__drizzle_migrations (hash, created_at)
    select 'later', max(created_at) + 1 from drizzle.__drizzle_migrations`,
  )
  // One for each way in.
  const programs: [string, string[]][] = [
    ['main', []],
    ['database/commands/health', []],
    ['migrate/export', [folder]],
  ]
  await Promise.all(
    programs.map(async ([program, args]) => {
      t.same(await run(program, args), { code: 1, stdout: '', stderr: SENTENCE }, program)
    }),
  )
})
