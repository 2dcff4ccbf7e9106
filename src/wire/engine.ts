import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './answers.ts'
import { securityHeaders } from './headers.ts'
import { type AddressLimit, askerAt } from './limits.ts'

/** The part of socket.io's engine that is needed here: it takes requests before the app sees them. */
interface Engine {
  on(event: 'connection', listener: (socket: EngineSocket) => void): unknown
  use(middleware: EngineMiddleware): unknown
}

interface EngineSocket {
  /** Undefined when the client broke the connection off during the handshake. */
  readonly remoteAddress: string | undefined
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

/** Refuses further sockets to an address that has as many as it may. */
export function limitSockets(engine: Engine, limit: AddressLimit, refusal: Answer): void {
  const connected = new Map<string, number>()
  const change = (asker: string, by: number) => {
    const count = (connected.get(asker) ?? 0) + by
    if (count === 0) connected.delete(asker)
    else connected.set(asker, count)
  }
  engine.on('connection', (socket) => {
    const asker = askerAt(socket.remoteAddress, limit)
    if (asker === undefined) return
    change(asker, 1)
    socket.once('close', () => change(asker, -1))
  })
  engine.use((request, response, next) => {
    const isNew = !/[?&]sid=/.test(request.url ?? '')
    const asker = isNew ? askerAt(request.socket.remoteAddress, limit) : undefined
    if (asker === undefined || (connected.get(asker) ?? 0) < limit.most) next()
    else refuseAtEngine(request, response, [429, 'Too Many Requests'], refusal)
  })
}
