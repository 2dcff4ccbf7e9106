import t, { type Test } from 'tap'
import { expectAck, expectEvent } from './coverage.ts'
import { at, stringAt, type Json } from './json.ts'
import { befriend, friendsOnline, online, register, say, textMessage } from './people.ts'
import { serve } from './server.ts'
import type { Connection } from './socket.ts'

const NOBODY = '0123456789abcdef01234567'

const server = await serve(t)
const client = server.client()

const texts = (socket: Connection) =>
  socket.received('private_chat').map(([data]) => at(data, 'message'))
const heard = (socket: Connection, text: string) =>
  socket.next('private_chat', (data) => at(data, 'message') === text)

await t.test('login makes a socket speak for one user at a time', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const c = await register(client, '小刚')
  await befriend(client, c, b)
  const socket = await online(t, client)
  expectAck(t, 'login', await socket.emitWithAck('login', a.id), 200)
  const isOwn = (id: Json) => id === socket.socket.id
  expectEvent(t, 'login', await socket.next('login', isOwn), [socket.socket.id ?? ''])
  await say(socketB, b, a, '给甲')
  await heard(socket, '给甲')

  for (const [userId, status] of [
    [NOBODY, 404],
    ['x', 405],
  ] as const)
    expectAck(t, 'login', await socket.emitWithAck('login', userId), status)
  expectAck(t, 'private_chat', await say(socket, a, b, '还是甲'), 200)
  expectAck(t, 'private_chat', await say(socket, c, b, '不是丙'), 403)

  await socket.login(c.id)
  expectAck(t, 'private_chat', await say(socket, a, b, '不再是甲'), 403)
  expectAck(t, 'private_chat', await say(socket, c, b, '是丙'), 200)
  await say(socketB, b, a, '只给甲')
  await say(socketB, b, c, '给丙')
  await heard(socket, '给丙')
  t.same(texts(socket), ['给甲', '给丙'])
  t.same(texts(socketA), ['给甲', '只给甲'])
  t.same(texts(socketB), ['还是甲', '是丙'])
})

await t.test('init_apply_notice identifies a socket that speaks for nobody', async (t) => {
  const [a, b] = [await register(client, '甲'), await register(client, '乙')]
  const none = { friendNoticeNum: 0, groupNoticeNum: 0 }
  const one = { friendNoticeNum: 1, groupNoticeNum: 0 }
  await client.post('/friend/add', { userId: a.id, friendId: b.id })
  const socket = await online(t, client)
  for (const [args, status] of [
    [[], 405],
    [[null], 405],
    [[''], 405],
    [[{}], 405],
    [[b.id, b.id], 405],
    [[NOBODY], 404],
  ] as const)
    expectAck(
      t,
      'init_apply_notice',
      await socket.emitWithAck('init_apply_notice', ...args),
      status,
    )
  t.same(socket.received('init_apply_notice'), [])

  expectAck(t, 'init_apply_notice', await socket.emitWithAck('init_apply_notice', b.id), 200)
  const first = await socket.next('init_apply_notice')
  expectEvent(t, 'init_apply_notice', first, [one])
  for (const other of [a.id, NOBODY, null, 7, '']) {
    const ack = await socket.emitWithAck('init_apply_notice', other)
    expectAck(t, 'init_apply_notice', ack, 200)
    expectEvent(t, 'init_apply_notice', await socket.next('init_apply_notice'), [one])
  }
  await client.post('/friend/refuse', { userId: b.id, friendId: a.id })
  socket.emit('init_apply_notice', b.id)
  expectEvent(t, 'init_apply_notice', await socket.next('init_apply_notice'), [none])
  await client.post('/friend/add', { userId: a.id, friendId: b.id })
  expectEvent(t, 'apply_notice', await socket.next('apply_notice'), [one])
})

await t.test('apply_notice and agree_apply reach every device of that user alone', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const deviceB = await online(t, client, b)
  const none = { friendNoticeNum: 0, groupNoticeNum: 0 }
  expectAck(t, 'apply_notice', await socketA.emitWithAck('apply_notice', b.id), 200)
  expectAck(t, 'agree_apply', await socketA.emitWithAck('agree_apply', b.id), 200)
  for (const device of [socketB, deviceB]) {
    expectEvent(t, 'apply_notice', await device.next('apply_notice'), [none])
    expectEvent(t, 'agree_apply', await device.next('agree_apply'), [null])
  }
  for (const event of ['apply_notice', 'agree_apply'] as const) {
    expectAck(t, event, await socketA.emitWithAck(event, NOBODY), 404)
    for (const args of [[], [null], [undefined], ['x'], [5], [[b.id]], [b.id, 1]])
      expectAck(t, event, await socketA.emitWithAck(event, ...args), 405)
  }
  await say(socketB, b, a, '标记')
  await heard(socketA, '标记')
  t.same(socketA.received('apply_notice'), [])
  t.same(socketA.received('agree_apply'), [])
})

await t.test('an agreement is told once, whoever tells it', async (t) => {
  const { b, a, socketA, socketB } = await friendsOnline(t, client)
  let told: number
  let elapsed: number
  do {
    await client.get('/del/friend', { userId: a.id, friendId: b.id })
    told = socketA.received('agree_apply').length
    const start = performance.now()
    await befriend(client, a, b)
    // What the client does after it has agreed, for a friend and for a member of a group.
    socketB.emit('agree_apply', undefined)
    expectAck(t, 'agree_apply', await socketB.emitWithAck('agree_apply', a.id), 200)
    elapsed = performance.now() - start
  } while (elapsed > 1_500)
  await say(socketB, b, a, '标记')
  await heard(socketA, '标记')
  t.same(socketA.received('agree_apply').slice(told), [[null]])

  // Two seconds later it is news again.
  const repeat = setInterval(() => socketB.emit('agree_apply', a.id), 100)
  t.teardown(() => clearInterval(repeat))
  for (; told >= 0; told -= 1) await socketA.next('agree_apply')
  expectEvent(t, 'agree_apply', await socketA.next('agree_apply'), [null])
})

await t.test('a message reaches all devices of its receiver, and none of its sender', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const [deviceA, deviceB] = [await online(t, client, a), await online(t, client, b)]
  const order: string[] = []
  deviceB.socket.onAny((event: string) => order.push(event))
  const claimed = { ...textMessage(b, '你好'), fromId: b.id, toId: a.id, time: 'x', _id: NOBODY }
  const ack = await socketA.emitWithAck('private_chat', claimed, a.id, b.id)
  expectAck(t, 'private_chat', ack, 200)
  for (const device of [socketB, deviceB]) {
    expectEvent(t, 'private_chat', await device.next('private_chat'), [
      {
        userId: { _id: a.id, nick: a.nick, imgUrl: '/user_pic1.jpeg' },
        msgType: 0,
        message: '你好',
        time: stringAt(ack, 'time'),
        fromId: a.id,
        toId: b.id,
      },
    ])
    expectEvent(t, 'private_chat unread_message', await device.next('unread_message'), [a.id])
  }
  t.same(order, ['private_chat', 'unread_message'])
  await say(socketB, b, a, '标记')
  for (const device of [socketA, deviceA]) {
    await heard(device, '标记')
    t.same(texts(device), ['标记'])
  }
})

await t.test('messages are refused with their reason, and not stored', async (t) => {
  const { a, b, socketA } = await friendsOnline(t, client)
  const stranger = await register(client, '生人')
  const known = { _id: NOBODY, id: NOBODY, phone: '', nick: '', token: '' }
  expectAck(t, 'private_chat', await say(socketA, a, stranger, '202'), 202)
  expectAck(t, 'private_chat', await say(socketA, a, a, '202'), 202)
  expectAck(t, 'private_chat', await say(socketA, b, a, '403'), 403)
  expectAck(t, 'private_chat', await say(socketA, known, a, '403'), 403)
  expectAck(t, 'private_chat', await say(socketA, a, known, '404'), 404)
  await client.post('/friend/add', { userId: a.id, friendId: stranger.id })
  expectAck(t, 'private_chat', await say(socketA, a, stranger, '202'), 202)
  t.equal(at((await client.get('/message/list', { userId: a.id })).body, 'data', 0), undefined)
})

await t.test('each kind of message has its limit', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const send = async (msgType: unknown, message: unknown, status: number) => {
    const data = { ...textMessage(a, ''), msgType, message }
    const ack = await socketA.emitWithAck('private_chat', data, a.id, b.id)
    expectAck(t, 'private_chat', ack, status)
    if (status !== 200) return
    const [received = null] = await socketB.next('private_chat')
    t.ok(at(received, 'message') === message && at(received, 'msgType') === msgType)
  }
  const json = (bytes: number) => {
    // A cover is a picture: this is how a PNG begins.
    const cover = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA'
    const shortest = JSON.stringify({ url: '/1-a.png', cover })
    return shortest.replace(cover, cover + 'A'.repeat(bytes - shortest.length))
  }
  for (const type of [0, 4]) {
    await send(type, '😀'.repeat(20_000), 200)
    await send(type, '😀'.repeat(20_001), 405)
  }
  await send(5, `# ${'a'.repeat(64 * 1024 - 2)}`, 200)
  await send(5, '一'.repeat(64 * 1024).slice(0, 64 * 1024), 405)
  for (const type of [1, 2, 3]) {
    await send(type, json(1024 * 1024), 200)
    await send(type, json(1024 * 1024 + 1), 405)
    for (const text of [
      '',
      'x',
      'null',
      '[]',
      '"/a.png"',
      '{"url":1}',
      '{"Url":"/a"}',
      '{"url":"/a"',
    ])
      await send(type, text, 405)
  }
  for (const type of [6, 7, 8]) {
    await send(type, '通话时长 00:12', 200)
    await send(type, '一'.repeat(2000), 200)
    await send(type, '一'.repeat(2001), 405)
  }
  for (const type of [-1, 9, 0.5, '0', null, undefined, true, [0]]) await send(type, 'x', 405)
  for (const message of [null, undefined, 7, {}, ['x'], 'a\0b', '\ud83d', 'x\udc00'])
    await send(0, message, 405)
})

await t.test('whatever a socket sends, it is answered or ignored, and stays', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const { id } = socketA.socket
  const data = textMessage(a, 'x')
  const malformed: [string, unknown[]][] = [
    ...[[], [null], [undefined], [a.id, a.id], [{ userId: a.id }], [`${a.id}\n`], [`${a.id}0`]].map(
      (args): [string, unknown[]] => ['login', args],
    ),
    ...[
      [],
      [data],
      [data, a.id],
      [data, a.id, b.id, 1],
      [null, a.id, b.id],
      [[data], a.id, b.id],
      ['x', a.id, b.id],
      [data, a.id, null],
      [data, undefined, b.id],
      [data, { $ne: 1 }, b.id],
      [data, a.id, 'x'.repeat(1e6)],
      [data, a.id.toUpperCase(), 'x'],
      [a.id, b.id, data],
    ].map((args): [string, unknown[]] => ['private_chat', args]),
  ]
  for (const [event, args] of malformed) {
    socketA.emit(event, ...args)
    expectAck(t, event as 'login', await socketA.emitWithAck(event, ...args), 405)
  }
  // Names that mean something to the libraries; none of them is answered.
  for (const name of [
    'error',
    '__proto__',
    'constructor',
    'toString',
    'join',
    'leave',
    '',
    'login ',
  ])
    socketA.emit(name, a.id, () => t.fail(`${name} is answered`))
  socketA.socket.emit(5 as never, a.id)
  socketA.emit('private_chat', Buffer.alloc(10), a.id, b.id)
  socketA.emit('private_chat', data, a.id, b.id, 'not a function')

  expectAck(t, 'private_chat', await say(socketA, a, b, 'x'.repeat(7 * 1024 * 1024)), 405)
  expectAck(t, 'private_chat', await say(socketA, a, b, '还在'), 200)
  await heard(socketB, '还在')
  t.same(texts(socketB), ['还在'])
  t.equal(socketA.socket.id, id, 'it was never disconnected')
  t.ok(socketA.socket.connected)

  const gone = new Promise<string>((resolve) => socketA.socket.once('disconnect', resolve))
  socketA.emit('private_chat', textMessage(a, 'x'.repeat(9 * 1024 * 1024)), a.id, b.id)
  t.match(await gone, /^transport (close|error)$/, 'a frame above 8 MiB costs the connection only')
  await socketA.connected()
})

await t.test('what one socket sends keeps its order', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const c = await register(client, '小刚')
  await befriend(client, b, c)
  const sent = Array.from(
    { length: 300 },
    (_, i) => `第${i}条 ${'长'.repeat(i % 7 === 0 ? 5000 : 0)}`,
  )
  for (const message of sent) socketA.emit('private_chat', textMessage(a, message), a.id, b.id)
  // These wait for their turn too: the last one is already said as somebody else.
  socketA.emit('login', c.id)
  expectAck(t, 'private_chat', await say(socketA, c, b, '末条'), 200)
  await heard(socketB, '末条')
  t.same(texts(socketB), [...sent, '末条'])
  const pageOf = async (pageNum: number) => {
    const { body } = await client.get('/message/friend', {
      userId: a.id,
      friendId: b.id,
      pageNum,
    })
    return (at(body, 'data', 'messageList') as Json[]).map((one) => at(one, 'message'))
  }
  const stored = [...(await pageOf(3)), ...(await pageOf(2)), ...(await pageOf(1))]
  t.same(stored, sent.slice(-60))
})

await t.test('in open mode a socket that speaks for nobody speaks for whom it names', async (t) => {
  const { a, b, socketB } = await friendsOnline(t, client)
  const socket = await online(t, client)
  const nobody = { ...a, id: NOBODY }
  expectAck(t, 'private_chat', await say(socket, nobody, b, '404'), 404)
  expectAck(t, 'private_chat', await say(socket, a, b, '第一句'), 200)
  expectAck(t, 'private_chat', await say(socket, b, a, '403'), 403)
  await say(socketB, b, a, '听见')
  await heard(socket, '听见')

  await logsOut(t, socket, '')
  await say(socketB, b, a, '听不见')
  expectAck(t, 'private_chat', await say(socket, b, a, '换人'), 200)
  expectAck(t, 'private_chat', await say(socket, a, b, '403'), 403)
  t.same(texts(socket), ['听见'])
  for (const args of [[], [undefined], [a.id], [{}], ['x', 1]]) await logsOut(t, socket, ...args)
  await logsOut(t, socket, b.id)
  const answer = await socket.emitWithAck('init_apply_notice', null)
  expectAck(t, 'init_apply_notice', answer, 405)
})

async function logsOut(t: Test, socket: Connection, ...args: unknown[]): Promise<void> {
  expectAck(t, 'logout', await socket.emitWithAck('logout', ...args), 200)
}
