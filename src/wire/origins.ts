import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { isLoopback, type Settings } from '../settings.ts'
import { FORBIDDEN } from './answers.ts'

/**
 * Whether a request may come from where it says (behaviour.md 1): Electron pages, loopback pages,
 * programs that send no Origin, and the origins of `CORS_ORIGIN`. On a loopback `HOST` the Host
 * header must be loopback too, or any web page could get in by a name that it points here.
 */
export function isLetIn(
  headers: IncomingHttpHeaders,
  settings: Pick<Settings, 'host' | 'corsOrigins'>,
): boolean {
  if (isLoopback(settings.host) && !isLoopback(withoutPort(headers.host ?? ''))) return false
  const { origin } = headers
  if (origin === undefined || origin === 'file://') return true
  if (settings.corsOrigins.includes(origin)) return true
  // A sandboxed frame of any web page sends null too, but cannot choose its User-Agent.
  if (origin === 'null') return headers['user-agent']?.includes('Electron/') === true
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname)
}

/** Refuses other origins and hosts with a real 403 before anything else happens. */
export function refuseStrangers(
  app: FastifyInstance,
  settings: Pick<Settings, 'host' | 'corsOrigins'>,
): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!isLetIn(request.headers, settings)) return reply.code(403).send(FORBIDDEN)
  })
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '')
}
