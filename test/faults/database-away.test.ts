/** What clients notice of a database that cannot be reached: it is behind a proxy that is shut. */
import t, { type Test } from 'tap'
import { audit } from './auditor.ts'
import { Caller } from './caller.ts'
import { makeDatabaseRoad } from './database-road.ts'
import { Device, eager } from './device.ts'
import { History } from './history.ts'
import { gather, settled } from './load.ts'
import { patiently, scopeOf } from './scope.ts'
import { FaultyServer } from './server.ts'
import { makeFriends, makePeople, until } from './world.ts'

patiently(t)

const { road, direct, url } = await makeDatabaseRoad(scopeOf(t))
const server = await FaultyServer.start(scopeOf(t), { databaseUrl: url })

async function setUp(t: Test) {
  const scope = scopeOf(t)
  const [a = '', b = ''] = await makePeople(direct, 2)
  await makeFriends(direct, [[a, b]])
  const history = new History()
  const [deviceA, deviceB] = await gather(scope, server.socket, [a, b], history, () => eager)
  if (deviceA === undefined || deviceB === undefined) throw new Error('nobody came')
  const check = async (kept = [...history.sent.values()]) =>
    audit(direct, history, { kept, complete: [deviceA.shown, deviceB.shown] })
  return { scope, history, a, b, deviceA, deviceB, check }
}

await t.test('what is typed meanwhile waits, and is stored in order', async (t) => {
  const { a, b, deviceA, deviceB, check } = await setUp(t)
  road.shut()
  for (let index = 0; index < 20; index += 1) deviceA.sendBlindly('private', b)
  deviceB.sendBlindly('private', a)
  // Longer than anyone who asks for an answer waits for it.
  const asking = deviceA.send('private', b)
  await until('the answer has come', () => asking.status !== undefined)
  t.equal(asking.status, 500)
  road.open()
  await until('all is shown', () => deviceB.shown.texts.length === 20)
  await settled([deviceA, deviceB])
  const findings = await check([])
  t.same(findings.summary(), [])
  t.equal(deviceB.shown.texts.length, 20)
  t.equal(deviceA.shown.texts.length, 1)
})

await t.test('who comes back meanwhile is let in when it is back, and loses nothing', async (t) => {
  const { b, deviceA, deviceB, check } = await setUp(t)
  deviceA.send('private', b)
  await until('it is shown', () => deviceB.shown.texts.length === 1)
  road.shut()
  for (const device of [deviceA, deviceB]) device.drop()
  await until('both are away', () => !deviceA.socket.connected && !deviceB.socket.connected)
  for (let index = 0; index < 5; index += 1) deviceA.sendBlindly('private', b)
  const attempts: string[] = []
  deviceA.socket.io.engine.on('open', () => attempts.push('open'))
  await until('the server is reached', () => deviceA.socket.io.engine.readyState === 'open')
  road.open()
  await settled([deviceA, deviceB])
  t.same((await check()).summary(), [])
  t.equal(deviceB.shown.texts.length, 6)
})

await t.test('who logs in or out meanwhile is, afterwards', async (t) => {
  const { scope, history, a, b, deviceA, deviceB } = await setUp(t)
  const newcomer = new Device(server.socket, b, history, eager)
  const window = new Device(server.socket, b, history, eager)
  scope.teardown(async () => [newcomer, window].forEach((device) => device.close()))
  await until('they are there', () => newcomer.socket.connected && window.socket.connected)
  road.shut()
  newcomer.socket.emit('login', b)
  window.socket.emit('init_apply_notice', b)
  deviceB.socket.emit('logout', '')
  road.open()
  await Promise.all([newcomer, window, deviceB].map((device) => device.isBack()))
  for (const device of [newcomer, window, deviceB]) device.drop()
  await Promise.all([newcomer, window, deviceB].map((device) => device.isBack()))
  deviceA.send('private', b)
  await settled([deviceA, deviceB, newcomer, window])
  t.equal(newcomer.shown.texts.length, 1)
  t.equal(window.shown.texts.length, 1)
  t.equal(deviceB.shown.texts.length, 0)
  t.equal(a, deviceA.owner)
})

await t.test('a database that falls silent costs no call its answer', async (t) => {
  const { history, a, b, deviceA, deviceB, check } = await setUp(t)
  const caller = new Caller(server.http, history)
  road.stall()
  const sent = deviceA.send('private', b)
  const status = await caller.get('/contacts/friend', { userId: a })
  t.equal(status, 404, 'the documented failure')
  await until('an answer has come', () => sent.status !== undefined)
  await settled([deviceA, deviceB])
  t.equal(await caller.get('/contacts/friend', { userId: a }), 200)
  history.incidents.length = 0
  t.same((await check([])).summary(), [])
})
