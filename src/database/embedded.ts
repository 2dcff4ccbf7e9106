import { realpath } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getSystemErrorMap } from 'node:util'
import pg from 'pg'
import { StartupError } from '../startup-error.ts'
import { locatePackage, usableBinaries } from './embedded/binaries.ts'
import { claim } from './embedded/claim.ts'
import { createCluster, inspectCluster } from './embedded/cluster.ts'
import { chooseHome, type Home, makeFolder } from './embedded/home.ts'
import {
  findPostmaster,
  type Postmaster,
  spawnPostmaster,
  stopPostmaster,
} from './embedded/postmaster.ts'

export interface EmbeddedDatabase {
  /** postgres:// URL for the application's database, ready for pg. */
  readonly url: string
  readonly port: number
  /** Folder of the cluster: `data`, `password` and `postgres.log`; maybe below /var/lib. */
  readonly clusterDir: string
  /** One line that opens the database: psql "postgres://..." */
  readonly psql: string
  /** Stops the server (fast shutdown), waits for it. Safe to call twice. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Folder for the data (settings DATA_DIR), made when missing. */
  dataDir: string
  /** Port to listen on; 0 or undefined picks a free one. */
  port?: number | undefined
  /** PostgreSQL settings as name -> value; one that is adopted keeps those it was started with. */
  settings?: Record<string, string>
  /** Receives one-line notices worth showing. */
  log?: (message: string) => void
}

const database = 'waifchat'

/**
 * Starts the PostgreSQL that the server brings, or adopts the one that a crashed server left
 * running on the same data.
 * @returns the database, accepting connections on 127.0.0.1
 * @throws StartupError with one sentence when the data folder or the port cannot be used, another
 *   server uses the data, or PostgreSQL does not start
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const dataDir = path.resolve(options.dataDir)
  try {
    await makeFolder(dataDir)
    return await start(await realpath(dataDir), options)
  } catch (error) {
    throw inOneSentence(error, dataDir)
  }
}

async function start(dataDir: string, options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { settings, log = () => undefined } = options
  const brought = await locatePackage()
  const home = await chooseHome(dataDir, log)
  const release = await claim(home.folder, dataDir)
  let server: Postmaster | undefined
  const end = async () => {
    try {
      if (server) await stopPostmaster(home, server.pid)
    } finally {
      await release()
    }
  }
  try {
    let password = await inspectCluster(home, brought.major)
    if (password) server = await adopt(home, options.port, log)
    if (!server) {
      if (options.port) await freePort(options.port)
      const copy = path.join(home.folder, 'binaries')
      const { initdb, postgres } = await usableBinaries(brought.folder, copy, home.account, log)
      password ??= await createCluster(home, initdb, settings?.['fsync'] !== 'off')
      server = await launch(home, postgres, options, log)
    }
    const url = `postgres://postgres:${password ?? ''}@127.0.0.1:${server.port}/`
    await prepareDatabase(`${url}postgres`, home)

    let ended: Promise<void> | undefined
    return {
      url: url + database,
      port: server.port,
      clusterDir: home.folder,
      psql: `psql "${url}${database}"`,
      stop: () => (ended ??= end()),
    }
  } catch (error) {
    await end().catch(() => undefined)
    throw error
  }
}

/** The server of a crashed process; one on another port than the wanted is stopped instead. */
async function adopt(home: Home, port: number | undefined, log: (message: string) => void) {
  const found = await findPostmaster(home, log)
  if (found && port && found.port !== port) {
    await stopPostmaster(home, found.pid)
    return undefined
  }
  if (found) log(`Adopted the PostgreSQL that was left running (process ${found.pid})`)
  return found
}

async function launch(
  home: Home,
  postgres: string,
  options: EmbeddedOptions,
  log: (message: string) => void,
): Promise<Postmaster> {
  for (let attemptsLeft = 3; ; attemptsLeft--) {
    const port = options.port || (await freePort())
    const settings = {
      // What a statement is refused for quotes what somebody sent; our own log has its code.
      log_min_messages: 'log',
      ...options.settings,
      port: String(port),
      listen_addresses: '127.0.0.1',
      // The path of a socket may have 107 bytes only, and ours may be longer.
      unix_socket_directories: '',
    }
    const started = await spawnPostmaster(home, postgres, settings, log)
    if (typeof started !== 'string') return started
    // Another program was faster to the free port, or a killed server's last processes still end.
    const passing = /could not bind.* in use|shared memory block/.test(started)
    if (!passing || attemptsLeft === 0) {
      throw new StartupError(`The embedded PostgreSQL did not start on port ${port}: ${started}.`)
    }
    await sleep(400)
  }
}

/** Resolves to the wanted port, or any for 0, if a program may listen on it now. */
function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      const reason = isSystemError(error) ? describe(error) : error.message
      reject(new StartupError(`The embedded PostgreSQL cannot use port ${wanted}: ${reason}.`))
    })
    server.listen({ host: '127.0.0.1', port: wanted, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Proves that the server has our data and our password, and makes the application's database. */
async function prepareDatabase(url: string, home: Home) {
  const client = new pg.Client({ connectionString: url, ssl: false })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ folder: string; made: boolean }>(
      `select current_setting('data_directory') as folder,
              exists (select from pg_database where datname = $1) as made`,
      [database],
    )
    if (rows[0]?.folder !== home.data) throw new Error(`it has the data of ${rows[0]?.folder}`)
    if (!rows[0].made) await client.query(`create database ${database}`)
  } catch (error) {
    const reason = (error as Error).message
    throw new StartupError(
      `The embedded PostgreSQL does not open with the password in ${home.passwordFile}: ${reason}.`,
    )
  } finally {
    await client.end().catch(() => undefined)
  }
}

function inOneSentence(error: unknown, dataDir: string) {
  if (!isSystemError(error)) return error
  const where = !error.path || error.path === dataDir ? '' : ` (${error.path})`
  const reason = error.code === 'EEXIST' ? 'it is a file' : describe(error)
  return new StartupError(`DATA_DIR ${dataDir} cannot be used: ${reason}${where}.`)
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { errno: number } {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === 'number'
}

function describe({ errno, message }: { errno: number; message: string }) {
  return getSystemErrorMap().get(errno)?.[1] ?? message
}
