import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { io } from 'socket.io-client'
import { makeFolder, postmasterPid } from './database/embedded-support.ts'
import { createTestDatabase } from './helpers/databases.ts'

/** Longer than any retry would be short, shorter than any wait for one would be long. */
const PROMPT = 30_000

const database = await createTestDatabase()
t.teardown(() => database.drop())
const folder = await makeFolder(t)

/** Starts the server as `npm start` does; `ended` tells how it went. */
function run(t: Test, settings: NodeJS.ProcessEnv) {
  const env = {
    ...process.env,
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'data'),
    UPLOAD_DIR: join(folder, 'uploads'),
    LOG_LEVEL: 'silent',
    PORT: '0',
    SOCKET_PORT: '0',
    ...settings,
  }
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: new URL('..', import.meta.url),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr }),
  )
  return { child, ended }
}

/** Asserts that it ends by itself, soon, with exactly one sentence. */
async function refuses(t: Test, settings: NodeJS.ProcessEnv, sentence: RegExp): Promise<void> {
  const { child, ended } = run(t, settings)
  const late = setTimeout(() => child.kill('SIGKILL'), PROMPT)
  const { code, signal, stdout, stderr } = await ended
  clearTimeout(late)
  t.same({ code, signal, stdout }, { code: 1, signal: null, stdout: '' }, String(sentence))
  t.match(stderr, /^[^\n]+\.\n$/)
  t.match(stderr, sentence)
}

async function taken(t: Test): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return String((server.address() as AddressInfo).port)
}

await t.test('a setting that is wrong stops the start', async (t) => {
  await Promise.all([
    refuses(t, { PORT: 'x' }, /^The setting PORT=x /),
    refuses(t, { HOST: '0.0.0.0' }, /^HOST=0\.0\.0\.0 .*AUTH_MODE/),
  ])
})

await t.test('a port in use stops the start, whichever of the two it is', async (t) => {
  const port = await taken(t)
  const sentence = new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use\\.`)
  await Promise.all([
    refuses(t, { PORT: port }, sentence),
    refuses(t, { SOCKET_PORT: port }, sentence),
  ])
  const DATA_DIR = join(folder, 'not made')
  await refuses(t, { PORT: port, DATABASE_URL: '', DATA_DIR }, sentence)
  t.notOk(existsSync(DATA_DIR), 'it fails before a database is made for it')
})

await t.test('a database that cannot be reached stops the start', async (t) => {
  const closed = 'postgres://me:secret@127.0.0.1:1/chat'
  const wrong = new URL(database.url)
  wrong.password = 'wrong'
  const refusal = /^The database cannot be reached: password authentication failed/
  await Promise.all([
    refuses(t, { DATABASE_URL: closed }, /^The database cannot be reached: .*ECONNREFUSED/),
    refuses(t, { DATABASE_URL: wrong.href }, refusal),
  ])
})

await t.test('a folder that cannot be written stops the start', async (t) => {
  const file = join(folder, 'a file')
  await writeFile(file, '')
  const sentence = /^DATA_DIR.* cannot be used: /
  await Promise.all([
    refuses(t, { DATA_DIR: join(file, 'below') }, sentence),
    refuses(t, { DATA_DIR: '/proc/nothing/below' }, sentence),
    // Where PostgreSQL would be kept there too.
    refuses(t, { DATA_DIR: join(file, 'below'), DATABASE_URL: '' }, sentence),
  ])
})

await t.test('a start that fails leaves no PostgreSQL running', async (t) => {
  const DATA_DIR = join(folder, 'broken')
  await mkdir(DATA_DIR, { recursive: true })
  await writeFile(join(DATA_DIR, 'token-secret'), 'too short')
  const { ended } = run(t, { DATABASE_URL: '', DATA_DIR })
  const { code, stderr } = await ended
  t.equal(code, 1)
  t.match(stderr, /^.*token-secret holds no usable secret: delete it\.\n$/)
  t.ok(existsSync(join(DATA_DIR, 'postgres')))
  await t.rejects(postmasterPid(DATA_DIR), { code: 'ENOENT' })
})

await t.test('a signal stops it, whoever is connected', async (t) => {
  for (const [signal, transports] of [
    ['SIGTERM', ['websocket']],
    ['SIGINT', ['polling']],
  ] as const) {
    const { child, ended } = run(t, {})
    let shown = ''
    child.stdout.on('data', (data: Buffer) => (shown += data.toString()))
    while (!/^socket\.io +(\S+)$/m.test(shown)) await once(child.stdout, 'data')
    const http = /^HTTP +(\S+)$/m.exec(shown)?.[1] ?? ''
    const socketUrl = /^socket\.io +(\S+)$/m.exec(shown)?.[1] ?? ''
    t.equal((await fetch(`${http}/health`)).status, 200)
    const socket = io(socketUrl, { forceNew: true, transports: [...transports] })
    t.teardown(() => socket.close())
    await once(socket as never, 'connect')
    child.kill(signal)
    t.match(await ended, { code: 0, signal: null, stderr: '' })
    t.notOk(shown.includes('database'), 'no password of a database that is not ours is shown')
    await t.rejects(fetch(`${http}/health`))
  }
})

await t.test(
  'a signal during the start is obeyed once what was begun can be stopped',
  async (t) => {
    const holder = new pg.Client({ connectionString: database.url })
    await holder.connect()
    t.teardown(() => holder.end())
    await holder.query('select pg_advisory_lock(30566, 0)')
    const { child, ended } = run(t, {})
    const waiting = `select from pg_locks join pg_database d on d.oid = database
    where locktype = 'advisory' and not granted and datname = current_database()`
    while ((await holder.query(waiting)).rowCount === 0) await sleep(10)
    child.kill('SIGTERM')
    await holder.query('select pg_advisory_unlock(30566, 0)')
    t.match(await ended, { code: 0, signal: null, stderr: '' })
  },
)
