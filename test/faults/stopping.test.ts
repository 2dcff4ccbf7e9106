import t from 'tap'
import { once } from 'node:events'
import { connect } from 'node:net'
import { History } from './history.ts'
import { gather } from './load.ts'
import { Proxy } from './proxy.ts'
import { beginRequest } from './requests.ts'
import { patiently, scopeOf } from './scope.ts'
import { FaultyServer } from './server.ts'
import { makePeople } from './world.ts'

patiently(t)

await t.test('clients that hang do not keep a server from ending in order', async (t) => {
  const scope = scopeOf(t)
  const server = await FaultyServer.start(scope)
  const road = await Proxy.start(scope, server.socket)
  const people = await makePeople(server.databaseUrl, 3)
  await gather(scope, road.url, people, new History())
  road.stall()
  // Half a request, on either side.
  for (const url of [server.http, server.socket]) {
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write('POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nphone=')
    t.teardown(() => socket.destroy())
  }
  t.equal(await server.stop('SIGTERM'), 0)
})

await t.test('a signal that comes again and again ends it in order, too', async (t) => {
  const server = await FaultyServer.start(scopeOf(t))
  const ended = server.stop('SIGINT')
  server.signal('SIGINT')
  server.signal('SIGTERM')
  t.equal(await ended, 0)
})

await t.test('whoever waits to be let in when the signal comes is answered, too', async (t) => {
  const server = await FaultyServer.start(scopeOf(t))
  const [id = ''] = await makePeople(server.databaseUrl, 1)
  // A process that is that busy accepts nobody for a while.
  server.signal('SIGSTOP')
  const waiting = Array.from({ length: 200 }, () =>
    beginRequest(`${server.http}/contacts/friend?userId=${id}`),
  )
  await Promise.all(waiting.map(({ sent }) => sent))
  const ended = server.stop('SIGTERM')
  server.signal('SIGCONT')
  const problems = await Promise.all(waiting.map(({ problem }) => problem))
  t.same(
    problems.filter((problem) => problem !== undefined),
    [],
  )
  t.equal(await ended, 0)
})
