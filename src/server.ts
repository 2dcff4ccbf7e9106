import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createAttempts } from './accounts/attempts.ts'
import { createPasswords } from './accounts/passwords.ts'
import { createTokens, keptSecret } from './accounts/tokens.ts'
import type { Context } from './context.ts'
import { openDatabase } from './database/connection.ts'
import { migrateDatabase } from './database/migrate.ts'
import { announceServer, type Presence } from './database/presence.ts'
import { addEndpoints, createApp } from './http.ts'
import { createLog } from './log.ts'
import { addRealtime } from './realtime/realtime.ts'
import type { Settings } from './settings.ts'
import { StartupError } from './startup-error.ts'
import { stoppable } from './stopping.ts'
import type { Declared } from './wire/access.ts'
import { wireTimes } from './wire/times.ts'

/** A query that hangs holds up the end for this many milliseconds at most. */
const LONGEST_POOL_END = 1_000
/** Connections for storing and delivering messages, besides the pool of DATABASE_POOL_SIZE. */
const CHAT_CONNECTIONS = 2

/** Milliseconds that a request to socket.io may take to arrive. */
const LONGEST_REQUEST = 60_000

/** A server that listens. */
export interface RunningServer {
  /** Where the endpoints are, such as `http://127.0.0.1:7878`. */
  readonly httpUrl: string
  /** Where socket.io is. */
  readonly socketUrl: string
  /** Who may use each endpoint and event, as they declare it. */
  readonly access: readonly Declared[]
  /** Stops accepting, finishes what is in flight, closes sockets and pool. */
  stop(): Promise<void>
}

/**
 * Builds everything from the settings and listens; production and tests use this alone.
 *
 * @param databaseUrl postgres:// address, whether embedded or not
 * @throws StartupError when a port, the database or a folder cannot be used
 */
export async function startServer(
  settings: Settings,
  databaseUrl: string,
  log: Logger = createLog(settings.logLevel),
): Promise<RunningServer> {
  await migrateDatabase(databaseUrl)
  const db = openDatabase(databaseUrl, settings.databasePoolSize, log)
  const chatDb = openDatabase(databaseUrl, CHAT_CONNECTIONS, log, 'waifchat messages')
  const apps: (() => Promise<void>)[] = []
  let presence: Presence | undefined
  const stop = async () => {
    await Promise.all(apps.splice(0).map((end) => end()))
    await Promise.race([
      Promise.all([presence?.end(), db.close(), chatDb.close()]),
      pause(LONGEST_POOL_END),
    ])
  }
  try {
    presence = await announceServer(databaseUrl, log)
    const secret = settings.tokenSecret ?? (await keptSecret(settings.dataDir))
    const context: Context = {
      settings,
      log,
      db,
      chatDb,
      passwords: createPasswords(),
      attempts: createAttempts(settings.loginFailures),
      tokens: createTokens(secret, settings.tokenTtl),
      times: wireTimes(settings.timezone),
    }
    const http = createApp(context, 0)
    const onePort = settings.port === settings.socketPort && settings.port !== 0
    const sockets = onePort ? http : createApp(context, LONGEST_REQUEST)
    apps.push(...[...new Set([http, sockets])].map(stoppable))
    const realtime = await addRealtime(sockets, context)
    const access = [...(await addEndpoints(http, context, realtime)), ...realtime.access]
    const httpUrl = await listen(http, settings, settings.port)
    if (onePort) return { httpUrl, socketUrl: httpUrl, access, stop }
    const socketUrl = await listen(sockets, settings, settings.socketPort)
    return { httpUrl, socketUrl, access, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function listen(
  app: ReturnType<typeof createApp>,
  { host }: Settings,
  port: number,
): Promise<string> {
  try {
    // For `localhost` Fastify opens a second server, which socket.io would not listen on.
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port })
  } catch (error) {
    throw portError(error, host, port)
  }
  const { address, family, port: opened } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${opened}`
}

/**
 * Tries the two ports and lets them go again: their mistakes show before a database of our own
 * is made for nothing.
 *
 * @throws StartupError when one of them cannot be used
 */
export async function checkPorts({ host, port, socketPort }: Settings): Promise<void> {
  for (const one of new Set([port, socketPort])) {
    const probe = createServer()
    try {
      await once(probe.listen({ host, port: one }), 'listening')
    } catch (error) {
      throw portError(error, host, one)
    } finally {
      probe.close()
    }
  }
}

function portError(error: unknown, host: string, port: number): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened: ${message}`
  return new StartupError(`Port ${port} on ${host} ${why}.`)
}
