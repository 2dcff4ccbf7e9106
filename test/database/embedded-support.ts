import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdtemp, readFile, realpath, rm, rmdir } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import { locatePackage } from '../../src/database/embedded/binaries.ts'
import { type EmbeddedOptions, startEmbedded } from '../../src/database/embedded.ts'
import { StartupError } from '../../src/startup-error.ts'

/** A cluster to throw away need not reach the disk. */
export const settings = { fsync: 'off' }

const source = new URL('../../src/database/embedded.ts', import.meta.url).href

/** A folder that every user may enter, which goes with all that runs in it. */
export async function makeFolder(t: Test) {
  const folder = await mkdtemp(path.join(await realpath(os.tmpdir()), 'waifchat-'))
  await chmod(folder, 0o755)
  t.teardown(async () => {
    await chmod(folder, 0o700)
    for (const dataDir of [folder, path.join(folder, 'data')]) {
      await postmasterPid(dataDir).then((pid) => process.kill(pid, 'SIGKILL'), ignore)
      const home = await realpath(path.join(dataDir, 'postgres')).catch(ignore)
      const patience = { recursive: true, force: true, maxRetries: 10 }
      if (home) await rm(home, patience)
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    await rmdir('/var/lib/waifchat').catch(ignore)
  })
  return folder
}

/** Starts the database in this process, until the end of the test. */
export async function start(t: Test, dataDir: string, options: Partial<EmbeddedOptions> = {}) {
  const db = await startEmbedded({ dataDir, settings, ...options })
  t.teardown(() => db.stop())
  return db
}

/** Asserts that the start fails as an operator's mistake, with this message. */
export async function refuses(t: Test, options: EmbeddedOptions, message: string | RegExp) {
  const outcome = await startEmbedded({ settings, ...options }).catch((error: unknown) => error)
  if (!(outcome instanceof StartupError)) throw outcome
  if (typeof message === 'string') t.equal(outcome.message, message)
  else t.match(outcome.message, message)
}

/** Starts the database in a process of its own, resolving when that has come far enough. */
export async function startChild(
  t: Test,
  options: EmbeddedOptions,
  { until, thenStop = false }: { until?: () => Promise<boolean>; thenStop?: boolean } = {},
) {
  const program = `
    import { startEmbedded } from '${source}'
    try {
      const db = await startEmbedded(${JSON.stringify({ settings, ...options })})
      console.log(db.url)
      if (${thenStop}) await db.stop()
      else setInterval(() => {}, 1000)
    } catch (error) {
      console.error(error.message)
      process.exit(1)
    }`
  const args = ['--import=tsx', '--input-type=module', '--eval', program]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => kill(child))
  const ended = text(child.stderr).then((message) => Promise.reject(new Error(message)))
  ended.catch(ignore)
  if (until) {
    while (!(await until())) await sleep(1)
    return { child, url: '' }
  }
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer]
  return { child, url: line.toString().trim() }
}

/** Ends a process as a crash would. */
export async function kill(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** The process id that postmaster.pid holds; rejects when there is none. */
export async function postmasterPid(dataDir: string) {
  const file = path.join(dataDir, 'postgres', 'data', 'postmaster.pid')
  return Number((await readFile(file, 'utf8')).split('\n')[0])
}

/** Whether any process has this id. */
export function isAlive(pid: number) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Runs one statement on a connection of its own; gives its rows. */
export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', ignore)
  try {
    await client.connect()
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** A copy of the package as npm leaves it with install scripts off, and a place for copies. */
export async function brokenPackage(t: Test) {
  const parent = await makeFolder(t)
  const folder = path.join(parent, 'package')
  const unneeded = /\/(share|include|[^/]*\.a)$/
  const filter = (file: string) => !unneeded.test(file)
  const original = (await locatePackage()).folder
  await cp(original, folder, { recursive: true, verbatimSymlinks: true, filter })
  const list = await readFile(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8')
  const links = (JSON.parse(list) as { target: string }[]).map(({ target }) => target)
  for (const link of links) await rm(path.join(folder, link), { force: true })
  return { folder, copy: path.join(parent, 'copy'), links }
}

/** For errors that say what was expected. */
export function ignore() {
  return undefined
}
