import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A server in a process of its own, listening. */
export interface ServerProcess {
  readonly child: ChildProcess
  /** Addresses of its two sides. */
  readonly http: string
  readonly socket: string
}

const HTTP = /^HTTP\s+(\S+)$/
const SOCKET = /^socket\.io\s+(\S+)$/

/**
 * Starts the server as `npm start` does.
 *
 * @param imports what Node.js loads before it
 * @param stderr where its errors go
 */
export async function startProcess(
  env: NodeJS.ProcessEnv,
  imports: readonly string[] = ['tsx'],
  stderr: 'inherit' | 'ignore' = 'inherit',
): Promise<ServerProcess> {
  const root = new URL('../..', import.meta.url)
  const args = [...imports.flatMap((name) => ['--import', name]), 'src/main.ts']
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', stderr],
  })
  const addresses: { http?: string | undefined; socket?: string | undefined } = {}
  for await (const line of createInterface({ input: child.stdout })) {
    addresses.http ??= HTTP.exec(line)?.[1]
    addresses.socket ??= SOCKET.exec(line)?.[1]
    const { http, socket } = addresses
    if (http === undefined || socket === undefined) continue
    // Whatever it says later must not fill the pipe.
    child.stdout.resume()
    return { child, http, socket }
  }
  throw new Error('the server ended before it listened')
}

/** Ends a process with a signal; gives its exit code, null when the signal ended it. */
export async function stopProcess(
  child: ChildProcess,
  signal: NodeJS.Signals,
): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
  return child.exitCode
}
