import type { Socket as Connection } from 'node:net'
import type { Server } from './events.ts'

/** The parts of an engine.io socket, and of the WebSocket under it, that their types hide. */
interface EngineSocket {
  readonly transport: { readonly socket?: { readonly _socket?: Connection | null } }
  flush: (this: EngineSocket) => void
}

/**
 * Sends what one turn of the event loop has for a client, such as the messages and answers of one
 * batch, in a single write. engine.io makes one for each packet, which costs more than making it.
 */
export function gatherWrites(io: Server): void {
  let flush: EngineSocket['flush'] = () => undefined
  let due: Set<EngineSocket> | undefined
  function flushDue(): void {
    const sockets = due ?? []
    due = undefined
    for (const socket of sockets) {
      // Undefined for whoever polls: all packets are one body there.
      const connection = socket.transport.socket?._socket
      connection?.cork()
      flush.call(socket)
      connection?.uncork()
    }
  }
  io.engine.on('connection', (socket: EngineSocket) => {
    flush = (Object.getPrototypeOf(socket) as EngineSocket).flush
    socket.flush = () => {
      if (due === undefined) {
        due = new Set()
        process.nextTick(flushDue)
      }
      due.add(socket)
    }
  })
}
