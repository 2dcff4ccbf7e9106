import t from 'tap'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { Client, electron, encodeForm, encodeQuery } from './client.ts'
import { at, stringAt, type Json } from './json.ts'

async function read(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8')
  return (await request.toArray()).join('')
}

/** A server that answers what it was sent, and a socket.io server with recovery, as one. */
async function listen(): Promise<{ url: string; io: Server; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const { method, url, headers } = request
      response.end(JSON.stringify({ method, url, headers, body }))
    })
  })
  const io = new Server(server, { connectionStateRecovery: {}, pingInterval: 1000 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, io, close: () => io.close() }
}

const { url, io, close } = await listen()
t.teardown(close)
const client = new Client({ http: url, socket: url })

await t.test('forms and queries are written as the client writes them', async (t) => {
  t.equal(
    encodeQuery({ b: 'x y+é', a: [1, 2], no: undefined, nil: null }),
    'b=x+y%2B%C3%A9&a[]=1&a[]=2',
  )
  t.equal(
    encodeForm({ b: "it's (é) &", a: ['1', '2'], no: undefined, nil: null, zero: 0 }),
    'a=1&a=2&b=it%27s%20%28%C3%A9%29%20%26&nil&zero=0',
  )
})

await t.test('requests are those of an Electron page', async (t) => {
  const got = await client.get('/search', { keyword: '群' })
  t.match(got, { httpStatus: 200, body: { method: 'GET', url: '/search?keyword=%E7%BE%A4' } })
  t.match(got.body, { headers: electron })
  t.notOk(at(got.body, 'headers', 'authorization'))

  const posted = await client.post('/login', { phone: '1', password: 'a b' })
  t.equal(at(posted.body, 'headers', 'content-type'), 'application/x-www-form-urlencoded')
  t.equal(at(posted.body, 'body'), 'password=a%20b&phone=1')

  const json = await client.postJson('/login', { phone: '1' })
  t.equal(at(json.body, 'headers', 'content-type'), 'application/json')
  t.equal(at(json.body, 'body'), '{"phone":"1"}')

  const bearer = new Client({ http: url, socket: url, token: 'abc', headers: {} })
  const own = await bearer.request('/x', { headers: { 'user-agent': 'me' } })
  t.match(own.body, { headers: { authorization: 'Bearer abc', 'user-agent': 'me' } })
  t.notOk(at(own.body, 'headers', 'origin'))
})

await t.test('uploads keep the order of the parts and the names of the files', async (t) => {
  const sent = await client.upload('/upload/user', {
    _id: '1',
    file: { name: '黄鼠狼.jpg', data: 'bytes', type: 'image/jpeg' },
    photos: [
      { name: 'a.png', data: new Uint8Array([65]) },
      { name: 'b.png', data: 'B' },
    ],
  })
  t.match(at(sent.body, 'headers', 'content-type'), /^multipart\/form-data; boundary=/)
  const body = stringAt(sent.body, 'body')
  const parts = [...body.matchAll(/name="(\w+)"(?:; filename="(.*)")?/g)]
  t.same(
    parts.map(([, name, file]) => [name, file]),
    [
      ['_id', undefined],
      ['file', '黄鼠狼.jpg'],
      ['photos', 'a.png'],
      ['photos', 'b.png'],
    ],
  )
})

await t.test('a socket records what it receives, without the string of recovery', async (t) => {
  io.once('connection', (socket) => {
    socket.emit('login', socket.id)
    socket.on('login', (_id: string, ack?: (answer: Json) => void) => {
      socket.emit('login', socket.id)
      ack?.({ status: 200, msg: 'ok' })
    })
    socket.on('say', (text: string) => socket.emit('private_chat', { text }))
    socket.on('agree', () => socket.emit('agree_apply', null))
  })
  const connection = await client.connect()
  t.teardown(() => connection.close())
  t.equal(await connection.login('someone'), connection.socket.id)

  const second = connection.next('private_chat', (data) => at(data, 'text') === 'b')
  connection.emit('say', 'a')
  connection.emit('say', 'b')
  connection.emit('agree')
  t.same(await second, [{ text: 'b' }])
  t.same(await connection.next('agree_apply'), [null])
  t.same(await connection.next('private_chat'), [{ text: 'a' }], 'an earlier one is kept')
  t.same(connection.received('private_chat'), [[{ text: 'a' }], [{ text: 'b' }]])
  await t.rejects(connection.next('private_chat', undefined, 20), /no such private_chat/)
})

await t.test('a dropped socket comes back by itself and is recovered', async (t) => {
  const connection = await client.connect()
  t.teardown(() => connection.close())
  io.emit('apply_notice', { friendNoticeNum: 1 })
  await connection.next('apply_notice')
  await connection.drop()
  io.emit('apply_notice', { friendNoticeNum: 2 })
  await connection.connected()
  t.ok(connection.socket.recovered)
  t.same(await connection.next('apply_notice'), [{ friendNoticeNum: 2 }])
})

await t.test('a refused socket says why', async (t) => {
  io.use((socket, next) => {
    next(socket.handshake.auth['token'] === 'good' ? undefined : new Error('no token'))
  })
  const good = await new Client({ http: url, socket: url, token: 'good' }).connect()
  t.match(good.socket.auth, { token: 'good' })
  good.close()
  await t.rejects(client.connect(), /refused: no token/)
  const nowhere = new Client({ http: url, socket: 'http://127.0.0.1:9', timeout: 100 })
  await t.rejects(nowhere.connect(), /no connect within 100 ms/)
})
