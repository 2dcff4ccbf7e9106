import { readFile } from 'node:fs/promises'
import { clusterPids, cpuOf, cpuOfEnded, databaseCpu, execute } from './cluster.ts'

/** What a piece of work cost a server process and the database behind it. */
export interface Cpu {
  /** Microseconds of the server process. */
  readonly server: number
  /** Microseconds of all PostgreSQL processes. */
  readonly database: number
}

/** Measures CPU time of a server process and of the cluster that a database belongs to. */
export async function meter(databaseUrl: string, pid: number): Promise<() => Promise<Cpu>> {
  const postmaster = await postmasterOf(databaseUrl)
  const before = await reading(postmaster, pid)
  return async () => {
    const after = await reading(postmaster, pid)
    return { server: after.server - before.server, database: after.database - before.database }
  }
}

async function reading(postmaster: number, pid: number): Promise<Cpu> {
  for (;;) {
    const ended = await cpuOfEnded(postmaster)
    const running = await databaseCpu(await clusterPids(postmaster))
    // One that ended in between would count twice, or not at all.
    if ((await cpuOfEnded(postmaster)) !== ended) continue
    return { server: await cpuOf(pid), database: running + ended }
  }
}

/** The process that started all others of a database's cluster. */
export async function postmasterOf(databaseUrl: string): Promise<number> {
  const { rows } = await execute(
    databaseUrl,
    `select pid from pg_stat_activity where backend_type = 'checkpointer'`,
  )
  const stat = await readFile(`/proc/${(rows[0] as { pid: number }).pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}
