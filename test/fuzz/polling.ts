import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { electron } from '../contract/client.ts'
import { hostileFrames } from './frames.ts'
import { HANG } from './hangs.ts'
import { hostileText } from './values.ts'

/** Packets of one request to a connection that polls, most of them broken. */
export const hostilePackets: fc.Arbitrary<Buffer> = fc
  .array(hostileFrames, { minLength: 1, maxLength: 4 })
  .map((frames) => Buffer.concat(frames.flatMap((frame) => [Buffer.from(frame), SEPARATOR])))
const SEPARATOR = Buffer.from('\x1e')

/**
 * Connects by polling, sends packets, and leaves.
 *
 * @throws when an answer is none of the engine's
 */
export async function poll(socketUrl: string, packets: Buffer): Promise<void> {
  const url = `${socketUrl}/socket.io/?EIO=4&transport=polling`
  const opened = await ask(url)
  const { sid } = JSON.parse(opened.text.slice(1)) as { sid: string }
  const session = `${url}&sid=${sid}`
  for (const body of ['40', packets, '1']) {
    const { status, text } = await ask(session, body)
    if (!(status === 200 && text === 'ok') && status !== 400) {
      throw new Error(`${status} ${text.slice(0, 500)} to ${packets.toString().slice(0, 2_000)}`)
    }
  }
}

async function ask(url: string, body?: string | Buffer) {
  const method = body === undefined ? 'GET' : 'POST'
  const signal = AbortSignal.timeout(HANG)
  const bytes = body === undefined ? null : new Uint8Array(Buffer.from(body))
  const response = await fetch(url, { method, body: bytes, headers: electron, signal })
  return { status: response.status, text: await response.text() }
}

/** A handshake, of which only the beginning may arrive. */
interface Handshake {
  readonly query: readonly string[]
  readonly upgrade: boolean
  /** Bytes that arrive. */
  readonly length: number
  readonly reset: boolean
}

/** Handshakes that ask for what there is not, and ones that are broken off. */
export const hostileHandshakes: fc.Arbitrary<Handshake> = fc.record({
  query: fc.tuple(
    fc.constantFrom('EIO=4', 'EIO=3', 'EIO=x', 'EIO=4&EIO=4', ''),
    fc
      .constantFrom('websocket', 'polling', 'webtransport', '__proto__', '')
      .map((name) => `transport=${name}`),
    fc.oneof(
      fc.constant(''),
      hostileText.map((text) => `sid=${encodeURIComponent(text.toWellFormed()).slice(0, 4_000)}`),
    ),
  ),
  upgrade: fc.boolean(),
  length: fc.oneof(fc.nat(600), fc.constant(Infinity)),
  reset: fc.boolean(),
})

/** @throws when the answer is none of HTTP, or when there is no end of it */
export async function shakeHands(
  socketUrl: string,
  { query, upgrade, length, reset }: Handshake,
): Promise<void> {
  const { hostname, port } = new URL(socketUrl)
  const lines = Object.entries({
    host: hostname,
    ...electron,
    ...(upgrade ? { connection: 'Upgrade', upgrade: 'websocket' } : { connection: 'close' }),
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }).map(([name, value]) => `${name}: ${value}`)
  const request = [`GET /socket.io/?${query.join('&')} HTTP/1.1`, ...lines, '', ''].join('\r\n')
  const socket = connect(Number(port), hostname)
  const hung = new Error(`${query.join('&')} hangs`)
  socket.setTimeout(HANG, () => socket.destroy(hung))
  socket.write(request.slice(0, length))
  if (reset) socket.resetAndDestroy()
  else socket.end()
  const answer = await text(socket).catch((error: unknown) => {
    if (error === hung) throw hung
    return ''
  })
  if (answer !== '' && !/^HTTP\/1\.1 (101|200|4\d\d) /.test(answer)) {
    throw new Error(`${answer.slice(0, 500)} to ${request.slice(0, 2_000)}`)
  }
}
