import { Adapter } from 'socket.io-adapter'
import type { Server } from './events.ts'

/** An event as it is emitted: its name, then its arguments. */
export type Emitted = readonly [event: string, ...args: unknown[]]

/** Which sockets: those in the room `to`, but not those in the room `except`. */
export interface Audience {
  readonly to: string
  readonly except?: string
}

/** How socket.io's adapter and engine.io hand on a packet whose WebSocket frame is made already. */
interface PacketOptions {
  readonly preEncoded: true
  /** The parts of the frame; engine.io writes them as they are. */
  wsPreEncodedFrame?: Buffer[]
}

interface Transport {
  /** Only of WebSockets: whether engine.io will write the frame, or make its own of the packet. */
  _canSendPreEncodedFrame?(packet: { readonly options: PacketOptions }): boolean
}

interface Receiver {
  readonly conn: { readonly transport: Transport }
  readonly client: { writeToEngine(encoded: string, options: PacketOptions): void }
}

/** What socket.io's adapter has for its subclasses, though its types declare it private. */
interface Inherited {
  readonly nsp: { readonly name: string; readonly sockets: ReadonlyMap<string, Receiver> }
  _encode(packet: object, options: PacketOptions): [text: string]
}

/**
 * Sends two events to each socket, as two emits do, but encodes both once and writes both frames
 * to a WebSocket at once. Whoever polls, or has compression, gets two packets.
 */
export class PairAdapter extends Adapter {
  /** Events without binary arguments. */
  broadcastPair(pair: readonly [Emitted, Emitted], { to, except }: Audience): void {
    const own = this as unknown as Inherited
    const packets = pair.map((data) => {
      const options: PacketOptions = { preEncoded: true }
      const [text] = own._encode({ type: EVENT, nsp: own.nsp.name, data }, options)
      return { text, options }
    })
    const frames = packets.flatMap(({ options }) => options.wsPreEncodedFrame ?? [])
    const both: PacketOptions = { preEncoded: true, wsPreEncodedFrame: [Buffer.concat(frames)] }
    // Never sent itself, but what waits for a slow reader is counted by it.
    const text = packets.map((packet) => packet.text).join('')
    const excepted = except === undefined ? undefined : this.rooms.get(except)
    for (const id of this.rooms.get(to) ?? []) {
      const socket = excepted?.has(id) === true ? undefined : own.nsp.sockets.get(id)
      if (socket === undefined) continue
      const {
        conn: { transport },
        client,
      } = socket
      // Safe to send as one: engine.io asks the same question when it writes, and the answer stays,
      // as a WebSocket is what connections are upgraded to and is never left for another transport.
      // Without frames there would be nothing to send at all.
      const asOne = frames.length > 0 && transport._canSendPreEncodedFrame?.({ options: both })
      if (asOne) client.writeToEngine(text, both)
      else for (const packet of packets) client.writeToEngine(packet.text, packet.options)
    }
  }
}

/** Packet type of the socket.io protocol. */
const EVENT = 2

/** Sends two events, in this order, to the sockets of this process. */
export function broadcastPair(
  io: Server,
  audience: Audience,
  pair: readonly [Emitted, Emitted],
): void {
  const { adapter } = io.of('/')
  if (!(adapter instanceof PairAdapter)) throw new TypeError('not the adapter of this server')
  adapter.broadcastPair(pair, audience)
}
