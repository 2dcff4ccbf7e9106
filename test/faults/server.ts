import { readFile } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestDatabase } from '../helpers/databases.ts'
import { type ServerProcess, startProcess, stopProcess } from '../helpers/server-process.ts'
import type { SabotageName } from './sabotages.ts'

/** Where a case leaves what must be undone at its end. */
export interface Scope {
  teardown(handler: () => Promise<unknown>): void
}

export interface ServerOptions {
  /** Without one, a database of the server's own is made. */
  databaseUrl?: string
  settings?: NodeJS.ProcessEnv
  /** What is taken away from it. */
  sabotage?: SabotageName | undefined
}

/** A server in a process of its own, to be killed and started again on the same ports. */
export class FaultyServer {
  readonly databaseUrl: string
  readonly http: string
  readonly socket: string
  /** How often it ended without having been told to. */
  crashes = 0
  #process: ServerProcess
  readonly #env: NodeJS.ProcessEnv
  readonly #sabotage: SabotageName | undefined

  private constructor(
    started: ServerProcess,
    databaseUrl: string,
    env: NodeJS.ProcessEnv,
    sabotage: SabotageName | undefined,
  ) {
    this.databaseUrl = databaseUrl
    this.http = started.http
    this.socket = started.socket
    this.#env = {
      ...env,
      PORT: new URL(started.http).port,
      SOCKET_PORT: new URL(started.socket).port,
    }
    this.#sabotage = sabotage
    this.#process = this.#watch(started)
  }

  static async start(
    scope: Scope,
    { databaseUrl, settings = {}, sabotage }: ServerOptions = {},
  ): Promise<FaultyServer> {
    const folder = await mkdtemp(join(tmpdir(), 'waifchat-faults-'))
    const database =
      databaseUrl === undefined
        ? await createTestDatabase('template', { brokenBy: sabotage })
        : undefined
    const url = databaseUrl ?? database?.url ?? ''
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      DATABASE_URL: url,
      DATA_DIR: join(folder, 'data'),
      UPLOAD_DIR: join(folder, 'uploads'),
      LOG_LEVEL: 'fatal',
      NODE_NO_WARNINGS: '1',
      PORT: '0',
      SOCKET_PORT: '0',
      SABOTAGE: sabotage,
      ...settings,
    }
    const server = new FaultyServer(await launch(env, sabotage), url, env, sabotage)
    scope.teardown(async () => {
      await server.kill()
      await database?.drop()
      await rm(folder, { recursive: true, force: true })
    })
    return server
  }

  /** Ends it as a crash or a power cut of its own would. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL')
  }

  /** Ends it with a signal; gives its exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.#process.child.removeAllListeners('exit')
    return stopProcess(this.#process.child, signal)
  }

  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#process.child.kill(signal)
  }

  /** Starts it again where it was. */
  async start(): Promise<void> {
    this.#process = this.#watch(await launch(this.#env, this.#sabotage))
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.#process.child
    return exitCode === null && signalCode === null
  }

  /** Memory that it occupies, in bytes; NaN when it has ended. */
  async memory(): Promise<number> {
    const path = `/proc/${this.#process.child.pid ?? 0}/status`
    const status = await readFile(path, 'utf8').catch(() => '')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  #watch(started: ServerProcess): ServerProcess {
    started.child.once('exit', () => {
      this.crashes += 1
    })
    return started
  }
}

/** Starts the server; a sabotaged one without its errors, of which there will be many. */
function launch(
  env: NodeJS.ProcessEnv,
  sabotage: SabotageName | undefined,
): Promise<ServerProcess> {
  if (sabotage === undefined) return startProcess(env)
  return startProcess(env, ['tsx', './test/faults/sabotage.ts'], 'ignore')
}
