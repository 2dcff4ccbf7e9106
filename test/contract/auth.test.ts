import t, { type Test } from 'tap'
import { createHmac } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { execute } from '../helpers/databases.ts'
import { type Client, electron } from './client.ts'
import { expectAck, expectAnswer } from './coverage.ts'
import { PNG } from './files-support.ts'
import { at, type Json, stringAt } from './json.ts'
import { freePhone, online, register, say, type Person } from './people.ts'
import { serve } from './server.ts'

const secret = 'a secret of more than 32 characters'
const strict = await serve(t, { AUTH_MODE: 'token', TOKEN_SECRET: secret })
const open = await serve(t)

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token as the server signs them, unless one part is chosen otherwise. */
function token(claims: object, { key = secret, alg = 'HS256' } = {}): string {
  const signed = `${base64({ alg, typ: 'JWT' })}.${base64(claims)}`
  const digest = alg === 'none' ? '' : createHmac('sha256', key).update(signed).digest('base64url')
  return `${signed}.${digest}`
}

const soon = Math.floor(Date.now() / 1000) + 3600

/** Every endpoint that acts for somebody, as that somebody; `number` is its own in the document. */
const calls = (
  client: Client,
  me: string,
  other: string,
): [number: number, success: string, call: () => ReturnType<Client['get']>][] => {
  const [userId, friendId] = [me, other]
  const pair = { userId, friendId }
  const form = { _id: me, nick: '新名', sex: '男' }
  return [
    [3, 'success', () => client.get('/home/user', { _id: me, urlId: other })],
    [4, 'success', () => client.get('/tabbar/message/userinfo', { _id: me })],
    [6, 'success', () => client.post('/update/user', form)],
    [8, 'success', () => client.post('/friend/add', pair)],
    [9, 'success', () => client.get('/contacts/friend', { userId })],
    [11, 'success', () => client.get('/get/friend/noagree', { userId })],
    [12, 'error', () => client.post('/friend/agree', pair)],
    [13, 'error', () => client.post('/friend/refuse', pair)],
    [36, '与该用户还不是好友', () => client.get('/message/friend', { ...pair, pageNum: 1 })],
    [43, 'success', () => client.get('/message/list', { userId })],
    [44, 'success', () => client.get('/message/read/friend', { userId, id: friendId })],
    [10, 'success', () => client.get('/del/friend', pair)],
  ]
}

const refusedTokens = ({ id, token: good }: Person): string[] => [
  'x',
  'a.b.c',
  `${good}x`,
  good.slice(0, -2),
  token({ sub: id, exp: soon }, { key: 'another secret, as long as the first' }),
  token({ sub: id, exp: soon }, { alg: 'none' }),
  token({ sub: id, exp: soon }, { alg: 'HS384' }),
  token({ sub: id, exp: soon - 7200 }),
  token({ sub: 7, exp: soon }),
  token({ exp: soon }),
]

async function expectAll(t: Test, client: Client, me: string, other: string, outcome?: string) {
  for (const [number, success, call] of calls(client, me, other))
    expectAnswer(t, await call(), number, outcome ?? success)
}

await t.test('in token mode a token says who acts, and nobody else does', async (t) => {
  const anyone = strict.client()
  const a = await register(anyone, '甲')
  const b = await register(anyone, '乙')
  const login = await anyone.post('/login', { phone: a.phone, password: 'secret' })
  expectAnswer(t, login, 2, '登陆成功', { data: { _id: a.id } })
  t.equal((await anyone.get('/health')).httpStatus, 200)

  await expectAll(t, anyone, a.id, b.id, '401')
  expectAnswer(t, await anyone.get('/search', { keyword: '乙' }), 7, '401')
  for (const wrong of refusedTokens(a))
    await expectAll(t, strict.client({ token: wrong }), a.id, b.id, '401')

  const asA = strict.client({ token: a.token })
  await expectAll(t, asA, a.id, b.id)
  const byHeader = strict.client({ headers: { token: a.token } })
  await expectAll(t, byHeader, a.id, b.id)
  await expectAll(t, asA, b.id, a.id, '403')
  expectAnswer(t, await asA.get('/search', { keyword: '乙' }), 7, 'success')
  const head = await asA.request(`/contacts/friend?userId=${b.id}`, { method: 'HEAD' })
  const forbidden = Buffer.byteLength('{"status":403,"msg":"无权操作"}')
  t.equal(Number(head.headers.get('content-length')), forbidden)

  const asB = strict.client({ token: b.token })
  await asA.post('/friend/add', { userId: a.id, friendId: b.id })
  const forged = await asA.post('/friend/agree', { userId: b.id, friendId: a.id })
  expectAnswer(t, forged, 12, '403')
  const waiting = await asB.get('/get/friend/noagree', { userId: b.id })
  expectAnswer(t, waiting, 11, 'success', { data: [{ friendId: { _id: a.id }, state: 4 }] })
  const agreed = await asB.post('/friend/agree', { userId: b.id, friendId: a.id })
  expectAnswer(t, agreed, 12, 'success')

  await t.test('on sockets too', async (t) => {
    for (const wrong of [undefined, ...refusedTokens(a)]) {
      const client = strict.client(wrong === undefined ? {} : { token: wrong })
      await t.rejects(client.connect(), { message: 'refused: 登录已失效, 请重新登录' })
    }
    const socketA = await online(t, asA)
    for (const event of ['login', 'init_apply_notice'] as const)
      expectAck(t, event, await socketA.emitWithAck(event, b.id), 403)
    expectAck(t, 'private_chat', await say(socketA, b, a, '冒充'), 403)
    const socketB = await online(t, asB, b)
    expectAck(t, 'private_chat', await say(socketA, a, b, '你好'), 200)
    expectAck(t, 'private_chat', await say(socketA, b, a, '冒充'), 403)
    await socketB.next('private_chat')
    await socketA.emitWithAck('logout', '')
    expectAck(t, 'login', await socketA.emitWithAck('login', b.id), 403)
    expectAck(t, 'login', await socketA.emitWithAck('login', a.id), 200)
  })
})

await t.test('a socket that was refused gets in with the three lines of the README', async (t) => {
  const anyone = strict.client()
  const { phone, id } = await register(anyone, '甲')
  const socket = io(anyone.socketUrl, { forceNew: true, extraHeaders: electron })
  t.teardown(() => socket.disconnect())
  const refused = await new Promise<Error>((resolve) => socket.once('connect_error', resolve))
  t.equal(refused.message, '登录已失效, 请重新登录')

  const login = await anyone.post('/login', { phone, password: 'secret' })
  const token = stringAt(login.body, 'data', 'token')
  const headers = { ...electron, authorization: `Bearer ${token}` }
  socket.auth = { token }
  socket.connect()
  await new Promise((resolve) => socket.once('connect', () => resolve(undefined)))
  expectAck(t, 'login', (await socket.emitWithAck('login', id)) as Json, 200)
  const friends = await strict.client({ headers }).get('/contacts/friend', { userId: id })
  expectAnswer(t, friends, 9, 'success', { data: [] })
})

await t.test('in open mode a request is believed, but a token that is sent counts', async (t) => {
  const anyone = open.client()
  const [a, b] = [await register(anyone, '甲'), await register(anyone, '乙')]
  await expectAll(t, anyone, a.id, b.id)
  await expectAll(t, anyone, b.id, a.id)
  const asA = open.client({ token: a.token })
  await expectAll(t, asA, a.id, b.id)
  await expectAll(t, asA, b.id, a.id, '403')
  const expired = open.client({ token: token({ sub: a.id, exp: soon }) })
  await expectAll(t, expired, a.id, b.id, '401')
  expectAnswer(t, await expired.get('/search', { keyword: '乙' }), 7, '401')
  const again = await expired.post('/login', { phone: a.phone, password: 'secret' })
  expectAnswer(t, again, 2, '登陆成功')
  const form = { phone: freePhone(), password: 'secret', nick: '丙' }
  expectAnswer(t, await expired.post('/register', form), 1, '注册成功返回')

  await t.rejects(expired.connect(), { message: 'refused: 登录已失效, 请重新登录' })
  const socketA = await online(t, asA, a)
  expectAck(t, 'login', await socketA.emitWithAck('login', b.id), 403)
  const unnamed = await online(t, asA)
  expectAck(t, 'private_chat', await say(unnamed, b, a, '冒充'), 403)
  const believed = await online(t, anyone, a)
  expectAck(t, 'login', await believed.emitWithAck('login', b.id), 200)
})

await t.test('when its token has expired a socket may say nothing more, but stays', async (t) => {
  const [a, b] = [await register(strict.client(), '甲'), await register(strict.client(), '乙')]
  const exp = Math.ceil(Date.now() / 1000) + 5
  const socket = await online(t, strict.client({ token: token({ sub: a.id, exp }) }))
  const { id } = socket.socket
  let ack = await socket.emitWithAck('login', a.id)
  while (at(ack, 'status') === 200) {
    await pause(100)
    ack = await socket.emitWithAck('login', a.id)
  }
  t.ok(Date.now() >= exp * 1000)
  expectAck(t, 'login', ack, 401)
  expectAck(t, 'private_chat', await say(socket, a, b, '过期了'), 401)
  t.equal(socket.socket.id, id, 'the connection is kept')
  expectAck(t, 'logout', await socket.emitWithAck('logout', ''), 200)
})

await t.test('the token of somebody who was erased is worth nothing', async (t) => {
  const a = await register(strict.client(), '甲')
  const asA = strict.client({ token: a.token })
  const calls = [
    [7, () => asA.get('/search', { keyword: '乙' })],
    [17, () => asA.get('/get/groupUser', { groupId: 'f'.repeat(24) })],
    [15, () => asA.upload('/upload/group', { file: { name: '图.png', data: PNG } })],
    [46, () => asA.get('/notes/get')],
  ] as const
  for (const [, call] of calls) t.notMatch((await call()).text, /401/)
  await execute(String(strict.databaseUrl), `select erase_user('${a.id}')`)
  for (const [number, call] of calls) expectAnswer(t, await call(), number, '401')
  const socket = await online(t, asA)
  expectAck(t, 'login', await socket.emitWithAck('login', a.id), 404)
})

await t.test('tokens outlive a restart', async (t) => {
  const a = await register(open.client(), '甲')
  await open.restart()
  const asA = open.client({ token: a.token })
  expectAnswer(t, await asA.get('/contacts/friend', { userId: a.id }), 9, 'success', { data: [] })
})
