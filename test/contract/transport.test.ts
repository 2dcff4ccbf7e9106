import t from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { electron } from './client.ts'
import { expectAnswer } from './coverage.ts'
import { stringAt } from './json.ts'
import { friendsOnline, register, say } from './people.ts'
import { raw, rawHandshake } from './raw.ts'
import { serve } from './server.ts'

const FORBIDDEN = '{"status":403,"msg":"无权操作"}'
const BODY_LIMIT = 100_000

const server = await serve(t, {
  CORS_ORIGIN: 'https://chat.example.com, app://chat',
  BODY_LIMIT: String(BODY_LIMIT),
})
const client = server.client()
const me = await register(client, '我')
const other = await register(client, '他')

/** The documented endpoints that take a body; what is wrong with it as a whole fails them so. */
const posts = [
  [1, '/register', '服务器错误'],
  [2, '/login', '服务器错误'],
  [6, '/update/user', 'error'],
  [8, '/friend/add', 'error'],
  [12, '/friend/agree', 'error'],
  [13, '/friend/refuse', 'error'],
] as const

await t.test('a body that is none gets the documented failure at HTTP 200', async (t) => {
  const json = 'application/json'
  const form = 'application/x-www-form-urlencoded'
  const bytes = (...parts: (string | number[])[]) =>
    Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const long = `x=${'a'.repeat(BODY_LIMIT)}`
  const wrong: [what: string, type: string, body: string | Buffer][] = [
    ['cut-off JSON', json, '{"userId":"'],
    ['no JSON', json, 'userId=1'],
    ['an array', json, '[{"userId":"x"}]'],
    ['a string', json, '"userId"'],
    ['a number', json, '7'],
    ['__proto__', json, '{"__proto__":{"userId":"x"},"userId":"x"}'],
    ['constructor.prototype', json, '{"constructor":{"prototype":{"userId":"x"}}}'],
    ['bytes that are no UTF-8 in JSON', json, bytes('{"nick":"', [0xff, 0xfe], '"}')],
    ['bytes that are no UTF-8 in a form', form, bytes('nick=', [0xf0, 0x9f, 0x98])],
    ['half a surrogate pair', form, 'nick=%ED%A0%80'],
    ['a byte that is no UTF-8', form, 'nick=%ff'],
    ['a percent sign alone', form, 'nick=%'],
    ['plain text', 'text/plain', 'userId=1'],
    ['XML', 'application/xml', '<a/>'],
    ['a type that is none', 'x', 'userId=1'],
    ['no type', '', 'userId=1'],
    ['too long a form', form, long],
    ['too long JSON', json, JSON.stringify({ long })],
    ['too long without saying so', form, long],
  ]
  for (const [number, path, name] of posts) {
    for (const [what, type, body] of wrong) {
      t.comment(`${path}: ${what}`)
      const blob = new Blob([new Uint8Array(Buffer.from(body))])
      const init = {
        method: 'POST',
        headers: type === '' ? {} : { 'content-type': type },
        // A stream goes out in chunks, without a length.
        body: what.endsWith('saying so') ? blob.stream() : blob,
        duplex: 'half',
      }
      expectAnswer(t, await client.request(path, init as RequestInit), number, name)
    }
  }
  expectAnswer(t, await client.get('/contacts/friend', { userId: me.id }), 9, 'success', {
    data: [],
  })
})

await t.test('far too long a body is read to its end, so that its answer arrives', async (t) => {
  const long = new Blob(['x='.padEnd(80 * BODY_LIMIT, 'a')])
  for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
    for (const body of [long, long.stream()]) {
      const init = { method: 'POST', headers: { 'content-type': type }, body, duplex: 'half' }
      const answer = await client.request('/friend/add', init as RequestInit)
      expectAnswer(t, answer, 8, 'error')
    }
  }
})

await t.test('an empty body lists what is missing', async (t) => {
  for (const [number, path] of posts) {
    const name = number === 2 ? '服务器错误' : '参数缺省'
    const headers = { 'content-type': 'application/json' }
    for (const body of ['{}', 'null'])
      expectAnswer(t, await client.request(path, { method: 'POST', headers, body }), number, name)
    expectAnswer(t, await client.request(path, { method: 'POST' }), number, name)
    expectAnswer(t, await client.post(path, {}), number, name)
  }
})

await t.test('what is no text, or given twice, is refused', async (t) => {
  const pair = `userId=${me.id}&friendId=${other.id}`
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const [number, path] of posts.slice(3)) {
    for (const body of [`${pair}&userId=${me.id}`, `${pair}&friendId=${other.id}`, `${pair}%00`]) {
      const answer = await client.request(path, { method: 'POST', headers, body })
      expectAnswer(t, answer, number, 'error')
    }
  }
  for (const [number, path] of [
    [9, '/contacts/friend'],
    [11, '/get/friend/noagree'],
    [43, '/message/list'],
  ] as const) {
    for (const more of [`&userId=${me.id}`, '%00', '%ff', '%ED%A0%80', '&x=%', '&%c3=1'])
      expectAnswer(t, await client.request(`${path}?userId=${me.id}${more}`), number, 'error')
    const harmless = `&__proto__=x&constructor=y&hasOwnProperty=z&userId[]=q&%F0%9F%98%80=1`
    const answer = await client.request(`${path}?userId=${me.id}${harmless}`)
    expectAnswer(t, answer, number, 'success', { data: [] })
  }
  const lone = await client.postJson('/friend/add', { userId: me.id, friendId: '\ud800' })
  expectAnswer(t, lone, 8, 'error')
  const polluted = await client.request('/friend/add', {
    method: 'POST',
    headers,
    body: `__proto__=x&${pair}&constructor=y&toString=z`,
  })
  expectAnswer(t, polluted, 8, 'success')
  expectAnswer(
    t,
    await client.get('/del/friend', { userId: me.id, friendId: other.id }),
    10,
    'success',
  )
})

await t.test('only what is not there and what is no HTTP gets a real error', async (t) => {
  const unknown = await client.get('/nothing/here')
  t.same(
    [unknown.httpStatus, unknown.body],
    [404, { status: 404, msg: 'GET /nothing/here is not there' }],
  )
  for (const [method, path] of [
    ['POST', '/search'],
    ['GET', '/login'],
    ['DELETE', '/del/friend'],
    ['PUT', '/update/user'],
  ] as const)
    t.equal((await client.request(path, { method })).httpStatus, 404, `${method} ${path}`)
  t.equal((await client.get('/message/read/%zz')).httpStatus, 400)
  const socket = connect(Number(new URL(client.http).port), '127.0.0.1')
  socket.end('no HTTP at all\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1\.1 400 /)
  const health = await client.get('/health')
  t.same([health.httpStatus, health.text], [200, '{"status":200}'])
})

const { port } = new URL(client.http)
const browser = 'Mozilla/5.0 Chrome/114.0 Safari/537.36'
const known: Record<string, string>[] = [
  {},
  electron,
  { origin: 'null', 'user-agent': electron['user-agent'] },
  { origin: 'http://localhost:5173' },
  { origin: 'http://127.0.0.1:8080' },
  { origin: 'https://localhost' },
  { origin: 'http://[::1]:3000' },
  { origin: 'https://chat.example.com' },
  { origin: 'app://chat' },
  { host: 'localhost' },
  { host: `localhost:${port}` },
  { host: `[::1]:${port}` },
  { host: '127.1.2.3' },
  { host: `LocalHost:${port}` },
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'cross-site', 'user-agent': electron['user-agent'] },
  { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:5173' },
]
const strangers: Record<string, string>[] = [
  { origin: 'http://evil.example' },
  { origin: 'null' },
  { origin: 'null', 'user-agent': browser },
  { origin: 'file://' },
  { origin: 'file://', 'user-agent': browser },
  { origin: 'http://evil.example', 'user-agent': electron['user-agent'] },
  { origin: 'http://localhost.evil.example' },
  { origin: 'http://127.0.0.1.evil.example' },
  { origin: 'https://chat.example.com.evil.example' },
  { origin: 'http://chat.example.com' },
  { origin: 'http://evil.example, http://localhost' },
  { origin: 'localhost' },
  { origin: '' },
  { host: 'evil.example' },
  { host: `evil.example:${port}` },
  { host: `localhost.evil.example:${port}` },
  { host: '127.0.0.1.evil.example' },
  { host: `evil.example:${port}`, origin: 'http://127.0.0.1' },
]
const polling = '/socket.io/?EIO=4&transport=polling'

await t.test('Electron, this machine and named origins are let in everywhere', async (t) => {
  for (const headers of known) {
    const { origin } = headers
    const label = JSON.stringify(headers)
    const answer = await raw(`${client.http}/contacts/friend?userId=${me.id}`, headers)
    t.same([answer.status, answer.text], [200, '{"status":200,"data":[]}'], label)
    t.equal(answer.headers['access-control-allow-origin'], origin)
    const handshake = await raw(client.socketUrl + polling, headers)
    t.equal(handshake.status, 200)
    t.equal(handshake.headers['access-control-allow-origin'], origin)
    t.equal((await rawHandshake(client.socketUrl, headers)).status, 101)
  }
})

await t.test('strangers get a real 403, no CORS header, and nothing happens', async (t) => {
  const refused = (
    { status, headers, text: body }: Awaited<ReturnType<typeof raw>>,
    label: string,
  ) =>
    t.same(
      [status, body, headers['content-type'], headers['access-control-allow-origin']],
      [403, FORBIDDEN, 'application/json; charset=utf-8', undefined],
      label,
    )
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const asked = { 'access-control-request-method': 'POST' }
  const body = `userId=${me.id}&friendId=${other.id}`
  for (const headers of strangers) {
    const label = JSON.stringify(headers)
    refused(await raw(`${client.http}/search?keyword=a`, headers), label)
    const post = { ...headers, ...form }
    refused(await raw(`${client.http}/friend/add`, post, { method: 'POST', body }), label)
    const preflight = { ...headers, ...asked }
    refused(await raw(`${client.http}/friend/add`, preflight, { method: 'OPTIONS' }), label)
    refused(await raw(`${client.http}/nothing`, headers), label)
    refused(await raw(client.socketUrl + polling, headers), label)
    refused(await raw(client.socketUrl + polling, preflight, { method: 'OPTIONS' }), label)
    refused(await raw(`${client.socketUrl}/nothing`, headers), label)
    refused(await rawHandshake(client.socketUrl, headers), label)
  }
  const applications = await client.get('/get/friend/noagree', { userId: me.id })
  expectAnswer(t, applications, 11, 'success', { data: [] })
})

await t.test('images and links of web pages elsewhere change nothing', async (t) => {
  await client.post('/friend/add', { userId: me.id, friendId: other.id })
  const pair = `userId=${me.id}&friendId=${other.id}`
  const note = await client.post('/notes/add', { userId: me.id, text: '便签' })
  const paths = [
    `/del/friend?${pair}`,
    `/notes/del?_id=${stringAt(note.body, '_id')}`,
    `/message/read/friend?userId=${me.id}&id=${other.id}`,
    ...['/del/group', '/del/groupUser', '/space/del', '/space/comment/del/0'],
  ]
  for (const site of ['cross-site', 'same-site']) {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'user-agent': browser }
    for (const url of [...paths.map((path) => client.http + path), client.socketUrl + polling]) {
      const { status, text: body } = await raw(url, headers)
      t.same([status, body], [403, FORBIDDEN], url)
    }
    t.equal((await rawHandshake(client.socketUrl, headers)).status, 403)
    t.equal((await raw(`${client.http}/user_pic1.jpeg`, headers)).status, 200, 'files are shown')
  }
  const applications = await client.get('/get/friend/noagree', { userId: me.id })
  expectAnswer(t, applications, 11, 'success', { data: [{ state: 0 }] })
  const notes = await client.get('/notes/get', {})
  t.match(notes.text, '便签')
  await client.get('/del/friend', { userId: me.id, friendId: other.id })
})

await t.test('preflights are answered', async (t) => {
  for (const url of [`${client.http}/friend/add`, client.socketUrl + polling]) {
    const asked = {
      ...electron,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,token',
    }
    const { status, headers } = await raw(url, asked, { method: 'OPTIONS' })
    t.equal(status, 204)
    t.equal(headers['access-control-allow-origin'], 'file://')
    t.match(headers['access-control-allow-methods'], /\bPOST\b/)
    t.equal(headers['access-control-allow-headers'], 'content-type,token')
  }
})

await t.test('one port serves both, under any name where it is no loopback port', async (t) => {
  const free = createServer().listen(0)
  await once(free, 'listening')
  const { port: both } = free.address() as AddressInfo
  free.close()
  const number = String(both)
  const shared = await serve(t, {
    HOST: '0.0.0.0',
    AUTH_MODE: 'open',
    PORT: number,
    SOCKET_PORT: number,
  })
  const addresses = { http: `http://127.0.0.1:${number}`, socket: `http://127.0.0.1:${number}` }
  const onePort = shared.client(addresses)
  const { a, b, socketA, socketB } = await friendsOnline(t, onePort)
  await say(socketA, a, b, '你好')
  await socketB.next('private_chat')
  const elsewhere = { host: 'chat.example.com' }
  const http = await raw(`${onePort.http}/health`, elsewhere)
  t.equal(http.status, 200)
  t.equal((await rawHandshake(onePort.socketUrl, elsewhere)).status, 101)
  const stranger = { ...elsewhere, origin: 'http://evil.example' }
  t.equal((await raw(`${onePort.http}/health`, stranger)).status, 403)
  t.equal((await rawHandshake(onePort.socketUrl, stranger)).status, 403)
})

await t.test('clients that break off while they shake hands do no harm', async (t) => {
  const { hostname, port } = new URL(client.socketUrl)
  const lines = Object.entries({
    host: hostname,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }).map(([name, value]) => `${name}: ${value}`)
  const request = ['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', ...lines, '', '']
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = connect(Number(port), hostname)
        await once(socket, 'connect')
        socket.write(request.join('\r\n'), () => socket.resetAndDestroy())
        await once(socket, 'close')
      }),
    )
  }
  const answer = await client.get('/contacts/friend', { userId: me.id })
  t.equal(answer.httpStatus, 200, 'the server is still there')
  t.notMatch(server.output(), /Error/)
})
