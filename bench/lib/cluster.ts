import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type EmbeddedDatabase, startEmbedded } from '../../src/database/embedded.ts'
import { migrateDatabase } from '../../src/database/migrate.ts'
import { load, type Progress } from './load.ts'
import { worldOf } from './world.ts'

/** A PostgreSQL of the benchmark's own, configured like the one that users get. */
export interface BenchCluster {
  readonly embedded: EmbeddedDatabase
  /** Makes a migrated database; with messages, a whole world around them. */
  create(name: string, messages: number, progress?: Progress): Promise<string>
  stop(): Promise<void>
}

export async function startCluster(): Promise<BenchCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-bench-'))
  // PostgreSQL does not run as root; the user that it then runs as must get in.
  await chmod(folder, 0o755)
  const embedded = await startEmbedded({
    dataDir: join(folder, 'postgres'),
    settings: { max_wal_size: '4GB' },
  })
  return {
    embedded,
    async create(name, messages, progress = () => undefined) {
      await execute(embedded.url, `create database ${name}`)
      const url = new URL(embedded.url)
      url.pathname = `/${name}`
      await migrateDatabase(url.href)
      if (messages > 0) await load(url.href, worldOf(messages), progress)
      return url.href
    },
    async stop() {
      await embedded.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Runs one statement on a connection of its own. */
export async function execute(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

/** The kernel's clock for processes that have ended, in microseconds. */
const TICK = 10_000

/** CPU time that a process's threads have used, in microseconds: of the scheduler, to the nanosecond. */
export async function cpuOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`)
  const times = await Promise.all(
    threads.map(async (thread) => {
      const path = `/proc/${pid}/task/${thread}/schedstat`
      const text = await readFile(path, 'utf8').catch(() => '0')
      return Number(text.split(' ')[0]) / 1_000
    }),
  )
  return times.reduce((sum, time) => sum + time, 0)
}

/** CPU time that the children of a process had used when they ended, in microseconds. */
export async function cpuOfEnded(parent: number): Promise<number> {
  const { [13]: user, [14]: system } = await statOf(parent)
  return (Number(user) + Number(system)) * TICK
}

/** What follows the name of the program in `/proc/<pid>/stat`. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** CPU time of the backends of one database that are still there, in microseconds. */
export async function databaseCpu(pids: readonly number[]): Promise<number> {
  const times = await Promise.all(pids.map((pid) => cpuOf(pid).catch(() => 0)))
  return times.reduce((sum, time) => sum + time, 0)
}

/** Every process of the cluster: the postmaster and its children. */
export async function clusterPids(postmaster: number): Promise<number[]> {
  const pids = [postmaster]
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    if (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(postmaster)) {
      pids.push(Number(name))
    }
  }
  return pids
}

/** Memory of a process that is in RAM, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024
}
