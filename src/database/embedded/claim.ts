import { readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StartupError } from '../../startup-error.ts'
import { birthOf } from './processes.ts'

/**
 * Makes this process the only one that may run the cluster in `folder`. A claim is an empty file
 * named after its process; each process writes its own and then looks for others, so of two at
 * once at least one sees the other, and what the dead left behind is removed without a race.
 * @param folder the cluster's folder, existing
 * @param dataDir what to call it in the error
 * @returns gives the claim up; a crash does so too
 * @throws StartupError when a live process holds the folder
 */
export async function claim(folder: string, dataDir: string): Promise<() => Promise<void>> {
  const mine = `server-${process.pid}-${(await birthOf(process.pid)) ?? ''}.lock`
  const file = path.join(folder, mine)
  for (let attemptsLeft = 5; ; attemptsLeft--) {
    await writeFile(file, '', { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(process.pid, dataDir)
      throw error
    })
    const other = await otherOwner(folder, mine)
    if (other === undefined) return () => rm(file, { force: true })
    await rm(file, { force: true })
    if (attemptsLeft === 0) throw inUse(other, dataDir)
    await sleep(20 + Math.random() * 100)
  }
}

async function otherOwner(folder: string, mine: string): Promise<number | undefined> {
  for (const name of await readdir(folder)) {
    const [, pid, birth] = /^server-(\d+)-(\w*)\.lock$/.exec(name) ?? []
    if (pid === undefined || name === mine) continue
    if ((await birthOf(Number(pid))) === birth) return Number(pid)
    await rm(path.join(folder, name), { force: true })
  }
  return undefined
}

function inUse(pid: number, dataDir: string) {
  return new StartupError(`Another server (process ${pid}) already uses DATA_DIR ${dataDir}.`)
}
