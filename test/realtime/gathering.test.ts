import t from 'tap'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, Socket as Connection } from 'node:net'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { gatherWrites } from '../../src/realtime/gathering.ts'

/** A server that answers each `ask` with `events` events and then through its callback. */
async function serve(events: number, transports: string[]) {
  const http = createServer()
  const server = new Server(http)
  gatherWrites(server as never)
  server.on('connection', (socket) => {
    socket.on('ask', (answer: (n: number) => void) => {
      for (let n = 0; n < events; n += 1) socket.emit('event', n)
      answer(events)
    })
    socket.on('end', () => {
      socket.emit('event', 'last')
      socket.conn.close()
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const client = io(`http://127.0.0.1:${port}`, { transports, forceNew: true, reconnection: false })
  t.teardown(() => {
    client.close()
    void server.close()
  })
  const received: unknown[] = []
  client.on('event', (n) => received.push(n))
  await once(client as never, 'connect')
  return { client, received, server }
}

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  await t.test(`everything arrives in order over ${transports.join(', then ')}`, async (t) => {
    const { client, received } = await serve(50, transports)
    for (let round = 1; round <= 20; round += 1) {
      t.equal(await client.emitWithAck('ask'), 50)
      t.equal(received.length, round * 50, 'the answer comes after the events before it')
    }
    t.same(received.slice(0, 50), [...Array(50).keys()])
  })
}

await t.test('the events and the answer of one turn are one write to a WebSocket', async (t) => {
  const { client, server } = await serve(50, ['websocket'])
  const [socket] = server.of('/').sockets.values()
  const { _socket: connection } = (
    socket?.conn.transport as unknown as { socket: { _socket: Connection } }
  ).socket
  let writes = 0
  for (const method of ['_write', '_writev'] as const) {
    const original = (connection[method] as (...args: unknown[]) => void).bind(connection)
    connection[method] = (...args: unknown[]) => {
      writes += 1
      original(...args)
    }
  }
  await client.emitWithAck('ask')
  t.equal(writes, 1)
})

await t.test('what was sent before the connection is closed arrives', async (t) => {
  for (const transport of ['websocket', 'polling']) {
    const { client, received } = await serve(1, [transport])
    client.emit('end')
    await once(client as never, 'disconnect')
    t.same(received, ['last'], transport)
  }
})
