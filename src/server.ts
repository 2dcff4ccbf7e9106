import type { AddressInfo } from 'node:net'
import { pino, type Logger } from 'pino'
import { createPasswords } from './accounts/passwords.ts'
import { createTokens, keptSecret } from './accounts/tokens.ts'
import type { Context } from './context.ts'
import { openDatabase } from './database/connection.ts'
import { migrateDatabase } from './database/migrate.ts'
import { announceServer } from './database/presence.ts'
import { addEndpoints, createApp } from './http.ts'
import { addRealtime } from './realtime/realtime.ts'
import type { Settings } from './settings.ts'
import { StartupError } from './startup-error.ts'
import { wireTimes } from './wire/times.ts'

/** A server that listens. */
export interface RunningServer {
  /** Where the endpoints are, such as `http://127.0.0.1:7878`. */
  readonly httpUrl: string
  /** Where socket.io is. */
  readonly socketUrl: string
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
  const stops: (() => Promise<unknown>)[] = [() => db.close()]
  const stop = async () => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    const presence = await announceServer(databaseUrl, log)
    stops.push(() => presence.end())
    const secret = settings.tokenSecret ?? (await keptSecret(settings.dataDir))
    const context: Context = {
      settings,
      log,
      db,
      passwords: createPasswords(),
      tokens: createTokens(secret, settings.tokenTtl),
      times: wireTimes(settings.timezone),
    }
    const http = createApp(context)
    const onePort = settings.port === settings.socketPort && settings.port !== 0
    const sockets = onePort ? http : createApp(context)
    const realtime = await addRealtime(sockets, context)
    await addEndpoints(http, context, realtime)
    stops.push(() => http.close())
    const httpUrl = await listen(http, settings, settings.port)
    if (onePort) return { httpUrl, socketUrl: httpUrl, stop }
    stops.push(() => sockets.close())
    return { httpUrl, socketUrl: await listen(sockets, settings, settings.socketPort), stop }
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
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new StartupError(`Port ${port} on ${host} is in use.`)
    if (code === undefined) throw error
    throw new StartupError(`Port ${port} on ${host} cannot be opened: ${message}.`)
  }
  const { address, family, port: opened } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${opened}`
}

function createLog(level: string): Logger {
  return pino({
    level,
    redact: { paths: ['*.password', '*.token', '*.authorization', 'req.headers'], remove: true },
  })
}
