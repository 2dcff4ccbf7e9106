import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Home } from './home.ts'
import { childOptions, isPostgresOf, tellingLine } from './processes.ts'

/** A running PostgreSQL of one cluster. */
export interface Postmaster {
  pid: number
  port: number
}

const maxLogBytes = 10 * 1024 * 1024

/**
 * Finds the PostgreSQL that a crashed server left running, and waits while it starts or stops.
 * A postmaster.pid whose process is none, or not ours, is removed.
 * @returns undefined when none runs
 */
export async function findPostmaster(
  home: Home,
  log: (message: string) => void,
): Promise<Postmaster | undefined> {
  const state = await readState(home.data)
  if (!state) return undefined
  const found = await whenReady(home.data, state.pid, log)
  if (!found) await rm(path.join(home.data, 'postmaster.pid'), { force: true })
  return found
}

/**
 * Starts PostgreSQL in a session of its own, so that neither the terminal's Ctrl-C nor our end
 * touches it; its output goes to the log file, which outlives us too.
 * @returns the server once it accepts connections, or why it ended: the telling line of its log
 */
export async function spawnPostmaster(
  home: Home,
  postgres: string,
  settings: Record<string, string>,
  log: (message: string) => void,
): Promise<Postmaster | string> {
  const { size = 0 } = (await stat(home.logFile).catch(() => undefined)) ?? {}
  const tooLong = size > maxLogBytes
  if (tooLong) await rename(home.logFile, `${home.logFile}.1`)

  const output = await open(home.logFile, 'a', 0o600)
  try {
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(postgres, ['-D', home.data, ...args], {
      ...childOptions(home.account),
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    })
    await once(child, 'spawn')
    child.unref()
    const ready = child.pid && (await whenReady(home.data, child.pid, log))
    if (ready) return ready
  } finally {
    await output.close()
  }
  const text = await readFile(home.logFile)
  return tellingLine(text.subarray(tooLong ? 0 : size).toString()) || 'it ended without a word'
}

/**
 * Stops a server: fast shutdown, and after six seconds an immediate one.
 * @throws Error when it runs on even so
 */
export async function stopPostmaster(home: Home, pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    for (let waited = 0; waited < 6000; waited += 20) {
      if (!(await isPostgresOf(pid, home.data))) return
      if (waited === 0) send(pid, signal)
      await sleep(20)
    }
  }
  throw new Error(`PostgreSQL (process ${pid}) did not stop`)
}

function send(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Waits, as long as the process lives, until it accepts connections. */
async function whenReady(data: string, pid: number, log: (message: string) => void) {
  for (let waited = 0; await isPostgresOf(pid, data); waited += 20) {
    const state = await readState(data)
    if (state?.pid === pid && state.ready) return { pid, port: state.port }
    if (waited === 5000) log(`Waiting for PostgreSQL (process ${pid}), perhaps in crash recovery`)
    await sleep(20)
  }
  return undefined
}

/** The lines of postmaster.pid: process, folder, start, port, socket, address, memory, status. */
async function readState(data: string) {
  const text = await readFile(path.join(data, 'postmaster.pid'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const lines = text.split('\n').map((line) => line.trim())
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7] === 'ready' }
}
