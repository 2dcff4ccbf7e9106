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
  if (origin === undefined || settings.corsOrigins.includes(origin)) return true
  // Files and sandboxed frames of any browser send these too, but cannot choose its User-Agent.
  if (origin === 'null' || origin === 'file://') return isElectron(headers)
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname)
}

/**
 * Whether a web page elsewhere made the browser ask, by an image or a link: such requests carry no
 * Origin, but change things all the same, because the document deletes by GET.
 */
function isDriveBy(headers: IncomingHttpHeaders): boolean {
  const { origin, 'sec-fetch-site': site } = headers
  return (
    origin === undefined && (site === 'cross-site' || site === 'same-site') && !isElectron(headers)
  )
}

function isElectron(headers: IncomingHttpHeaders): boolean {
  return headers['user-agent']?.includes('Electron/') === true
}

/**
 * Refuses other origins and hosts with a real 403 before anything else happens. Drive-by requests
 * get it at the documented endpoints; uploaded files may be shown and linked to from anywhere.
 */
export function refuseStrangers(app: FastifyInstance, settings: Doorway): void {
  app.addHook('onRequest', ({ headers, routeOptions }, reply, done) => {
    const isDocumented = routeOptions.config.failure !== undefined
    if (!isLetIn(headers, settings) || (isDocumented && isDriveBy(headers))) {
      void reply.code(403).send(FORBIDDEN)
    } else {
      done()
    }
  })
}

/** The same for the requests that socket.io takes before the app sees them. */
export function refuseStrangersAtEngine(settings: Doorway): EngineMiddleware {
  return (request, response, next) => {
    const { headers } = request
    if (isLetIn(headers, settings) && !isDriveBy(headers)) next()
    else refuseAtEngine(request, response, [403, 'Forbidden'], FORBIDDEN)
  }
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '')
}
