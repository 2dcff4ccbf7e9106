import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './answers.ts'
import { securityHeaders } from './headers.ts'
import { type AddressLimit, askerAt, createCounts } from './limits.ts'

/** The part of socket.io's engine that is needed here: it takes requests before the app sees them. */
interface Engine {
  on(event: 'connection', listener: (socket: EngineSocket) => void): unknown
  use(middleware: EngineMiddleware): unknown
}

interface EngineSocket {
  /** The handshake. */
  readonly request: IncomingMessage
  once(event: 'close', listener: () => void): unknown
}

/** Handles a request, or an upgrade, which has no response; or lets it pass. */
export type EngineMiddleware = (
  request: IncomingMessage,
  response: object,
  next: () => void,
) => void

/** Answers a request to the engine with a real HTTP status, WebSockets included. */
export function refuseAtEngine(
  request: IncomingMessage,
  response: object,
  [status, reason]: readonly [number, string],
  answer: Answer,
): void {
  const body = JSON.stringify(answer)
  const headers = {
    ...securityHeaders,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  if (response instanceof ServerResponse) {
    response.writeHead(status, headers).end(body)
    return
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  request.socket.end([`HTTP/1.1 ${status} ${reason}`, ...lines, '', body].join('\r\n'))
}

/** Sends the security headers with whatever the engine answers, its own refusals included. */
export function sendSecurityHeadersAtEngine(engine: Engine): void {
  engine.use((_request, response, next) => {
    if (response instanceof ServerResponse)
      response.setHeaders(new Map(Object.entries(securityHeaders)))
    next()
  })
}

/** Whether a request to the engine asks for a new connection, rather than for one that it has. */
export function isHandshake({ url = '' }: IncomingMessage): boolean {
  // The engine takes the last `sid`, and an empty one for none.
  return !new URLSearchParams(url.split('?')[1]).getAll('sid').at(-1)
}

/**
 * Refuses further sockets to an address that has as many as it may.
 *
 * @param senderOf undefined for a connection that its client has already broken off
 */
export function limitSockets(
  engine: Engine,
  limit: AddressLimit,
  refusal: Answer,
  senderOf: (request: IncomingMessage) => string | undefined,
): void {
  const connected = createCounts()
  engine.on('connection', (socket) => {
    const asker = askerAt(senderOf(socket.request), limit)
    if (asker === undefined) return
    connected.change(asker, 1)
    socket.once('close', () => connected.change(asker, -1))
  })
  engine.use((request, response, next) => {
    const asker = isHandshake(request) ? askerAt(senderOf(request), limit) : undefined
    if (asker === undefined || connected.of(asker) < limit.most) next()
    else refuseAtEngine(request, response, [429, 'Too Many Requests'], refusal)
  })
}
