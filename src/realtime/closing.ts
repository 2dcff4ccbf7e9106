import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { isHandshake } from '../wire/engine.ts'
import type { Server } from './events.ts'

/** For how long clients may take their leave, in milliseconds. */
const LONGEST_FAREWELL = 1_000
const LOOKED_EVERY = 10

/**
 * Closes all connections so that the clients come back, which they never would after a
 * `disconnect`. What they had sent by then still arrives: each connection is read until its client
 * closes it, too.
 */
export async function closeConnections(io: Server): Promise<void> {
  const { engine } = io as unknown as { engine: Engine }
  for (const { transport } of Object.values(engine.clients)) {
    // A closing websocket takes no more, and would break off if it were given more.
    if (transport.name === 'websocket') transport.writable = false
    transport.close()
  }
  const deadline = performance.now() + LONGEST_FAREWELL
  while (engine.clientsCount > 0 && performance.now() < deadline) await pause(LOOKED_EVERY)
}

interface Engine {
  readonly clients: Record<
    string,
    { readonly transport: { readonly name: string; writable: boolean; close(): void } }
  >
  readonly clientsCount: number
}

/** Middleware of socket.io's engine: lets nobody new in who comes over a connection kept alive. */
export function refuseWhile(isStopping: () => boolean) {
  return (request: IncomingMessage, _response: unknown, next: () => void): void => {
    if (isStopping() && isHandshake(request)) request.destroy()
    else next()
  }
}
