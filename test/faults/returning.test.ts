/** Sockets that come back: how much they are sent, in which windows, after what. */
import t, { type Test } from 'tap'
import { createTokens } from '../../src/accounts/tokens.ts'
import { audit } from './auditor.ts'
import { Device, eager } from './device.ts'
import { History } from './history.ts'
import { gather, settled, takeAway } from './load.ts'
import { Proxy } from './proxy.ts'
import { patiently, scopeOf } from './scope.ts'
import { FaultyServer } from './server.ts'
import { isWaited, makeFriends, makeGroup, makePeople, until, withDatabase } from './world.ts'

patiently(t)

const KIBIBYTE = 1024

/** One server for all tests that have nothing against it, and one with a small limit. */
const usual = await FaultyServer.start(scopeOf(t))
const limited = await FaultyServer.start(scopeOf(t), { settings: { REPLAY_LIMIT: '5' } })

async function twoFriends(t: Test, server = usual) {
  const scope = scopeOf(t)
  const [a = '', b = ''] = await makePeople(server.databaseUrl, 2)
  await makeFriends(server.databaseUrl, [[a, b]])
  const history = new History()
  return { scope, server, history, a, b }
}

const answered = (history: History) =>
  until('all is answered', () =>
    [...history.sent.values()].every(({ status }) => status !== undefined),
  )

async function unread(server: FaultyServer, userId: string): Promise<number[]> {
  const answer = await fetch(`${server.http}/message/list?userId=${userId}`)
  const { data } = (await answer.json()) as { data: { unreadMsgCount: number }[] }
  return data.map(({ unreadMsgCount }) => unreadMsgCount)
}

await t.test('of more than the limit the newest are sent, and the rest is unread', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t, limited)
  const [speaker, listener] = await gather(scope, server.socket, [a, b], history, () => eager)
  const comeBack = await takeAway(listener)
  const texts = Array.from({ length: 12 }, () => speaker.send('private', b).text)
  await answered(history)
  await comeBack()
  t.same(listener.shown.texts, texts.slice(-5))
  t.same((await audit(server.databaseUrl, history)).summary(), [])
  t.same(await unread(server, b), [12])
})

await t.test('of more than two mebibytes, too', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t)
  const [speaker, listener] = await gather(scope, server.socket, [a, b], history, () => eager)
  const comeBack = await takeAway(listener)
  const long = 'x'.repeat(60 * KIBIBYTE)
  const texts = Array.from({ length: 50 }, (_, index) => `${index} ${long}`)
  for (const message of texts) {
    await speaker.socket.emitWithAck('private_chat', { msgType: 5, message }, a, b)
  }
  await comeBack()
  const fitting = Math.floor((2 * KIBIBYTE * KIBIBYTE) / (long.length + 3))
  t.same(
    listener.shown.texts.map((text) => text.split(' ')[0]),
    texts.slice(-fitting).map((text) => text.split(' ')[0]),
  )
  t.same(await unread(server, b), [50])
})

await t.test('a window that never logs in comes back, too, also after a crash', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t)
  const [speaker] = await gather(scope, server.socket, [a], history, () => eager)
  const window = new Device(server.socket, b, history, eager)
  scope.teardown(async () => window.close())
  await window.socket.emitWithAck('init_apply_notice', b)
  const comeBack = await takeAway(window)
  speaker.send('private', b)
  await answered(history)
  await server.kill()
  await server.start()
  await speaker.isBack()
  await comeBack()
  speaker.send('private', b)
  await settled([speaker, window])
  t.same((await audit(server.databaseUrl, history, { complete: [window.shown] })).summary(), [])
  t.equal(window.shown.texts.length, 2)
})

await t.test('with a token a session serves its own user alone', async (t) => {
  const secret = 'a secret of more than thirty-two characters'
  const settings = { AUTH_MODE: 'token', TOKEN_SECRET: secret }
  const strict = await FaultyServer.start(scopeOf(t), { settings })
  const { scope, server, history, a, b } = await twoFriends(t, strict)
  const tokens = createTokens(secret, 60_000)
  const device = (owner: string, token: string) => {
    const made = new Device(server.socket, owner, history, { auth: { token } })
    scope.teardown(async () => made.close())
    return made
  }
  const speaker = device(a, tokens.sign(a))
  const listener = device(b, tokens.sign(b))
  await Promise.all([speaker.login(), listener.login()])
  const comeBack = await takeAway(listener)
  const first = speaker.send('private', b)
  await answered(history)
  await comeBack()
  t.same(listener.shown.texts, [first.text])

  const comeBackAsAnother = await takeAway(listener)
  speaker.send('private', b)
  await answered(history)
  listener.socket.auth = { token: tokens.sign(a) }
  await comeBackAsAnother()
  t.same(listener.shown.texts, [first.text], 'the token is not of the session’s user')
})

await t.test('a client that hangs is cut, and the others notice nothing', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t, limited)
  const road = await Proxy.start(scope, server.socket)
  const [c = ''] = await makePeople(server.databaseUrl, 1)
  const groupId = await makeGroup(server.databaseUrl, [a, b, c])
  const [speaker, listener] = await gather(scope, server.socket, [a, b], history, () => eager)
  const [hanging] = await gather(scope, road.url, [c], history, () => eager)
  const memory = await server.memory()
  road.stall()
  const long = 'x'.repeat(60 * KIBIBYTE)
  const [MESSAGES, TOGETHER] = [400, 20]
  for (let start = 0; start < MESSAGES; start += TOGETHER) {
    const some = Array.from({ length: TOGETHER }, (_, index) => {
      const data = { msgType: 5, message: `${start + index} ${long}` }
      return speaker.socket.emitWithAck('group_chat', data, a, groupId)
    })
    await Promise.all(some)
  }
  await until('the other has everything', () => listener.shown.texts.length === MESSAGES)
  // Without a limit it would hold all that it could not send, besides what the kernel took.
  t.ok((await server.memory()) - memory < 150 * KIBIBYTE * KIBIBYTE)
  road.flow()
  await settled([speaker, listener, hanging])
  const numbers = hanging.shown.texts.map((text) => Number(text.split(' ')[0]))
  t.ok(numbers.length < MESSAGES, 'it was cut, and its replay is limited')
  t.equal(numbers.at(-1), MESSAGES - 1)
  t.same(
    numbers,
    [...new Set(numbers)].sort((one, other) => one - other),
    'once each, in order',
  )
})

await t.test('one that breaks off while it waits to come back can come back', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t)
  const [speaker, listener] = await gather(scope, server.socket, [a, b], history, () => eager)
  await takeAway(listener)
  await withDatabase(server.databaseUrl, async (db) => {
    // Where it belongs cannot be asked for meanwhile.
    await db.query('begin')
    await db.query('lock table group_members')
    for (const attempt of ['first', 'second']) {
      listener.socket.connect()
      await until(`${attempt} attempt`, () => listener.socket.connected)
      listener.drop()
      await until('it is away again', () => !listener.socket.connected)
    }
    await db.query('rollback')
  })
  const sent = speaker.send('private', b)
  await answered(history)
  listener.socket.connect()
  await until('it is back', () => listener.shown.texts.includes(sent.text))
  t.same((await audit(server.databaseUrl, history, { complete: [listener.shown] })).summary(), [])
})

await t.test(
  'a crash during a login brings back whom it was for, and nothing from before',
  async (t) => {
    const { scope, server, history, a, b } = await twoFriends(t)
    const [c = ''] = await makePeople(server.databaseUrl, 1)
    await makeFriends(server.databaseUrl, [[a, c]])
    const [speaker, device] = await gather(scope, server.socket, [a, b], history, () => eager)
    speaker.send('private', c)
    await answered(history)
    await withDatabase(server.databaseUrl, async (db) => {
      await db.query('begin')
      await db.query('lock table group_members')
      device.socket.emit('login', c)
      await until('it asks for the groups', () => isWaited(db))
      await server.kill()
      await db.query('rollback')
    })
    await server.start()
    await Promise.all([speaker.isBack(), device.isBack()])
    speaker.send('private', b)
    const { text } = speaker.send('private', c)
    await settled([speaker, device])
    t.same(device.shown.texts, [text])
  },
)

await t.test('a first login whose answer was lost is not lost itself', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t)
  const [speaker] = await gather(scope, server.socket, [a], history, () => eager)
  const newcomer = new Device(server.socket, b, history, eager)
  scope.teardown(async () => newcomer.close())
  await until('it is connected', () => newcomer.socket.connected)
  await withDatabase(server.databaseUrl, async (db) => {
    await db.query('begin')
    await db.query('lock table group_members')
    newcomer.socket.emit('login', b)
    await until('it asks for the groups', () => isWaited(db))
    newcomer.drop()
    await db.query('rollback')
  })
  await newcomer.isBack()
  const { text } = speaker.send('private', b)
  await settled([speaker, newcomer])
  t.same(newcomer.shown.texts, [text])
})

await t.test('a bookmark that no server gave out is none', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t)
  const [speaker, listener] = await gather(scope, server.socket, [a, b], history, () => eager)
  const texts: string[] = []
  for (const offset of ['x', '', '-1', '1e3', '99999999999999999999', '999999999999999', '7--']) {
    const comeBack = await takeAway(listener)
    speaker.send('private', b)
    await answered(history)
    // The library's own name for it.
    Object.assign(listener.socket, { _lastOffset: offset })
    await comeBack()
    texts.push(speaker.send('private', b).text)
    await answered(history)
    await listener.isBack()
    t.same(listener.shown.texts, texts, offset)
  }
})

await t.test('an expired session is not taken up again', async (t) => {
  const { scope, server, history, a, b } = await twoFriends(t)
  const [speaker, listener] = await gather(scope, server.socket, [a, b], history, () => eager)
  const comeBack = await takeAway(listener)
  await withDatabase(server.databaseUrl, (db) =>
    db.query("update socket_sessions set seen_at = now() - interval '31 days' where user_id = $1", [
      b,
    ]),
  )
  speaker.send('private', b)
  await answered(history)
  await comeBack()
  speaker.send('private', b)
  await settled([speaker])
  t.same(listener.shown.texts, [])
})
