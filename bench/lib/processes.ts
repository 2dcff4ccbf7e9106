import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** Microseconds a tick of `/proc/<pid>/stat` is worth; USER_HZ is 100 on every Linux. */
const TICK = 10_000

/** Microseconds of CPU, user and system, that a process has used so far (Linux only). */
export function cpuTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in parentheses, may contain spaces.
  const [, ...fields] = stat.slice(stat.lastIndexOf(')')).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

/** Bytes of memory that a process occupies. */
export function memory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** A TypeScript program of this repository, in a process of its own. */
export interface Program {
  readonly pid: number
  /** What the first line that matches says, in its first group. */
  readonly said: string
  stop(): Promise<void>
}

/** Starts a program, and waits until it says something. */
export async function startProgram(
  file: string,
  pattern: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<Program> {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const said = pattern.exec(line)?.[1]
    if (said === undefined) continue
    child.stdout.resume()
    return { pid: child.pid ?? 0, said, stop: () => stop(child) }
  }
  throw new Error(`${file} ended before it listened`)
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
