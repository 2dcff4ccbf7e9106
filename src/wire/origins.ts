import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { isLoopback, type Settings } from '../settings.ts'
import { FORBIDDEN } from './answers.ts'
import { type EngineMiddleware, refuseAtEngine } from './engine.ts'

type Doorway = Pick<Settings, 'host' | 'corsOrigins'>

/**
 * Whether a request may come from where it says (behaviour.md 1): Electron pages, loopback pages,
 * programs that send no Origin, and the origins of `CORS_ORIGIN`. On a loopback `HOST` the Host
 * header must be loopback too, or any web page could get in by a name that it points here.
 */
export function isLetIn(headers: IncomingHttpHeaders, settings: Doorway): boolean {
  if (isLoopback(settings.host) && !isLoopback(withoutPort(headers.host ?? ''))) return false
  const { origin } = headers
  if (origin === undefined || origin === 'file://') return true
  if (settings.corsOrigins.includes(origin)) return true
  // A sandboxed frame of any web page sends null too, but cannot choose its User-Agent.
  if (origin === 'null') return headers['user-agent']?.includes('Electron/') === true
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname)
}

/** Refuses other origins and hosts with a real 403 before anything else happens. */
export function refuseStrangers(app: FastifyInstance, settings: Doorway): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!isLetIn(request.headers, settings)) return reply.code(403).send(FORBIDDEN)
  })
}

/** The same for the requests that socket.io takes before the app sees them. */
export function refuseStrangersAtEngine(settings: Doorway): EngineMiddleware {
  return (request, response, next) => {
    if (isLetIn(request.headers, settings)) next()
    else refuseAtEngine(request, response, [403, 'Forbidden'], FORBIDDEN)
  }
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '')
}
