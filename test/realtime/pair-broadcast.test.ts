import t, { type Test } from 'tap'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import { io } from 'socket.io-client'
import { broadcastPair, type Emitted, PairAdapter } from '../../src/realtime/pair-broadcast.ts'

const LONG = '长'.repeat(40_000)
const pairs = ['a', '"\u2028😀', LONG, ''].map((text, n): [Emitted, Emitted] => [
  ['private_chat', { message: text }, `${n}-`],
  ['unread_message', text, String(n)],
])

/** A server with sockets, each in the room `room`, and what each has received. */
async function serve(t: Test, perMessageDeflate: boolean) {
  const http = createServer()
  const server = new Server(http, { adapter: PairAdapter, perMessageDeflate })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(() => server.close())
  server.on('connection', (socket) => void socket.join(['room', `socket:${socket.id}`]))
  const { port } = http.address() as AddressInfo
  return {
    server: server as never,
    connect: async (transports: string[]) => {
      const client = io(`http://127.0.0.1:${port}`, { transports, forceNew: true })
      t.teardown(() => client.close())
      const received: unknown[][] = []
      client.onAny((...event: unknown[]) => received.push(event))
      await once(client as never, 'connect')
      const socket = server.of('/').sockets.get(client.id ?? '') as Socket
      const all = async (count: number) => {
        while (received.length < count) await once(client.io.engine as never, 'data')
        return received
      }
      return { socket, received, all }
    },
  }
}

for (const compressed of [false, true]) {
  await t.test(`both events arrive in order, compression ${String(compressed)}`, async (t) => {
    const { server, connect } = await serve(t, compressed)
    const clients = [
      await connect(['websocket']),
      await connect(['polling']),
      // Upgrades while the events are on their way.
      await connect(['polling', 'websocket']),
    ]
    for (let round = 0; round < 20; round += 1) {
      for (const pair of pairs) broadcastPair(server, { to: 'room' }, pair)
      await new Promise(setImmediate)
    }
    const expected = Array.from({ length: 20 }, () => pairs.flat()).flat()
    for (const { all } of clients) t.same(await all(expected.length), expected)
  })
}

await t.test('a WebSocket is written to once, unless it compresses', async (t) => {
  for (const compressed of [false, true]) {
    const { server, connect } = await serve(t, compressed)
    const { socket, all } = await connect(['websocket'])
    let packets = 0
    socket.conn.on('packetCreate', () => (packets += 1))
    broadcastPair(server, { to: 'room' }, pairs[0] as [Emitted, Emitted])
    await all(2)
    t.equal(packets, compressed ? 2 : 1)
  }
})

await t.test('what waits for a client is counted whole', async (t) => {
  const { server, connect } = await serve(t, false)
  const { socket } = await connect(['websocket'])
  // The first is on its way, so the second waits.
  for (const pair of [pairs[2], pairs[2]])
    broadcastPair(server, { to: 'room' }, pair as [Emitted, Emitted])
  const { writeBuffer } = socket.conn as unknown as { writeBuffer: { data: string }[] }
  t.ok((writeBuffer[0]?.data.length ?? 0) > 2 * LONG.length)
})

await t.test('nobody else receives them', async (t) => {
  const { server, connect } = await serve(t, false)
  const [one, other] = [await connect(['websocket']), await connect(['websocket'])]
  const audience = { to: 'room', except: `socket:${other.socket.id}` }
  broadcastPair(server, audience, pairs[0] as [Emitted, Emitted])
  broadcastPair(server, { to: `socket:${other.socket.id}` }, pairs[1] as [Emitted, Emitted])
  t.same(await one.all(2), pairs[0])
  t.same(await other.all(2), pairs[1])
})
