import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestDatabase } from '../helpers/databases.ts'
import { startProcess, stopProcess } from '../helpers/server-process.ts'
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

/**
 * Starts the server as `npm start` does, on a database of its own. With CONTRACT_HTTP_URL and
 * CONTRACT_SOCKET_URL set, the server at those addresses is tested instead.
 *
 * @param imports what Node.js loads before it
 */
export async function serve(
  t: Test,
  settings: NodeJS.ProcessEnv = {},
  imports: readonly string[] = ['tsx'],
): Promise<ServerUnderTest> {
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
  let running = await startProcess(env, imports)
  t.teardown(async () => {
    await stopProcess(running.child, 'SIGKILL')
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    client: (options) => new Client({ http: running.http, socket: running.socket, ...options }),
    databaseUrl: database.url,
    output: () => running.output(),
    async restart(signal = 'SIGTERM') {
      await stopProcess(running.child, signal)
      const { port } = new URL(running.http)
      const { port: socketPort } = new URL(running.socket)
      running = await startProcess({ ...env, PORT: port, SOCKET_PORT: socketPort }, imports)
    },
  }
}
