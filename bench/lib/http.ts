import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Pool } from 'undici'
import type { Slice } from './compare.ts'
import { quantile } from './table.ts'

/** A process that listens and has said where. */
export interface Listening {
  readonly pid: number
  readonly http: string
  readonly socket: string
  stop(): Promise<void>
}

/** Starts a script of this project and waits for the addresses that it prints. */
export async function startScript(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Listening> {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { pid, stdout } = child
  if (pid === undefined || stdout === null) throw new Error(`${script} did not start`)
  let http: string | undefined
  let socket: string | undefined
  for await (const line of createInterface({ input: stdout })) {
    http ??= /^HTTP\s+(\S+)$/.exec(line)?.[1]
    socket ??= /^socket\.io\s+(\S+)$/.exec(line)?.[1]
    if (http !== undefined && (socket !== undefined || script.includes('floors'))) break
  }
  if (http === undefined) throw new Error(`${script} ended before it listened`)
  stdout.resume()
  return {
    pid,
    http,
    socket: socket ?? http,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Starts the server as users get it, but on free ports and with a folder of its own. */
export function startServer(databaseUrl: string, env: NodeJS.ProcessEnv = {}): Promise<Listening> {
  return startScript('src/main.ts', [], {
    DATABASE_URL: databaseUrl,
    DATA_DIR: join(tmpdir(), 'waifchat-bench-data'),
    PORT: '0',
    SOCKET_PORT: '0',
    LOG_LEVEL: 'error',
    ...env,
  })
}

/** Sends requests over a few connections for a time; every answer must hold `expected`. */
export async function requestFor(
  origin: string,
  path: () => string,
  milliseconds: number,
  expected: string,
  connections = 8,
): Promise<Slice> {
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const times: number[] = []
  const start = performance.now()
  const end = start + milliseconds
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) {
        const sent = performance.now()
        const { body } = await pool.request({ method: 'GET', path: path() })
        const text = await body.text()
        times.push(performance.now() - sent)
        if (!text.includes(expected)) throw new Error(`not as expected: ${text.slice(0, 200)}`)
      }
    }),
  )
  const wall = performance.now() - start
  await pool.close()
  return { pieces: times.length, wall, p99: quantile(times, 0.99) }
}
