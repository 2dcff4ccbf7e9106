import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createTestDatabase } from '../helpers/databases.ts'
import { Client, type ClientOptions } from './client.ts'

/** The part of a tap test that is needed here. */
interface Test {
  teardown(handler: () => Promise<void>): void
}

/** A server in a process of its own, or one that runs already. */
export interface ServerUnderTest {
  /** A client with the headers of the existing one. */
  client(options?: Partial<ClientOptions>): Client
  /** postgres:// address of its database; undefined for a server that ran already. */
  readonly databaseUrl: string | undefined
  /** All that it has written to stdout and stderr since it was started last. */
  output(): string
  /** Stops it with a signal and starts it again on the same ports and database. */
  restart(signal?: NodeJS.Signals): Promise<void>
}

const HTTP = /^HTTP\s+(\S+)$/
const SOCKET = /^socket\.io\s+(\S+)$/

/**
 * Starts the server as `npm start` does, on a database of its own. With CONTRACT_HTTP_URL and
 * CONTRACT_SOCKET_URL set, the server at those addresses is tested instead.
 */
export async function serve(t: Test, settings: NodeJS.ProcessEnv = {}): Promise<ServerUnderTest> {
  const { CONTRACT_HTTP_URL: http, CONTRACT_SOCKET_URL: socket } = process.env
  if (http !== undefined && socket !== undefined) {
    return {
      client: (options) => new Client({ http, socket, ...options }),
      databaseUrl: undefined,
      output: () => '',
      restart: () => Promise.reject(new Error('a server that ran already is not restarted')),
    }
  }

  const database = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-server-'))
  const env = {
    ...process.env,
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'data'),
    UPLOAD_DIR: join(folder, 'uploads'),
    LOG_LEVEL: 'error',
    PORT: '0',
    SOCKET_PORT: '0',
    ...settings,
  }
  let running = await start(env)
  t.teardown(async () => {
    await stop(running.child, 'SIGKILL')
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    client: (options) => new Client({ http: running.http, socket: running.socket, ...options }),
    databaseUrl: database.url,
    output: () => Buffer.concat(running.output).toString(),
    async restart(signal = 'SIGTERM') {
      await stop(running.child, signal)
      const { port } = new URL(running.http)
      const { port: socketPort } = new URL(running.socket)
      running = await start({ ...env, PORT: port, SOCKET_PORT: socketPort })
    },
  }
}

interface Running {
  readonly child: ChildProcess
  readonly output: readonly Buffer[]
  readonly http: string
  readonly socket: string
}

async function start(env: NodeJS.ProcessEnv): Promise<Running> {
  const root = new URL('../..', import.meta.url)
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => output.push(bytes))
  }
  child.stderr.pipe(process.stderr, { end: false })
  const addresses: { http?: string | undefined; socket?: string | undefined } = {}
  for await (const line of createInterface({ input: child.stdout })) {
    addresses.http ??= HTTP.exec(line)?.[1]
    addresses.socket ??= SOCKET.exec(line)?.[1]
    const { http, socket } = addresses
    if (http === undefined || socket === undefined) continue
    // Whatever it says later must not fill the pipe.
    child.stdout.resume()
    return { child, output, http, socket }
  }
  throw new Error('the server ended before it listened')
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
