/** Two server processes on one database: what is changed through one holds on the other. */
import t from 'tap'
import { audit } from '../faults/auditor.ts'
import { type Device, eager } from '../faults/device.ts'
import { History } from '../faults/history.ts'
import { gather, settled, takeAway } from '../faults/load.ts'
import { patiently, scopeOf } from '../faults/scope.ts'
import { FaultyServer } from '../faults/server.ts'
import {
  isWaited,
  makeFriends,
  makeGroup,
  makePeople,
  until,
  withDatabase,
} from '../faults/world.ts'

patiently(t)

const scope = scopeOf(t)
const one = await FaultyServer.start(scope)
const { databaseUrl } = one
const other = await FaultyServer.start(scope, { databaseUrl })

/** People with a device each, all of them on the other server. */
async function gatherThere(count: number) {
  const history = new History()
  const people = await makePeople(databaseUrl, count)
  const devices = await gather(scope, other.socket, people, history, () => eager)
  return { history, people, devices: devices as [Device, ...Device[]] }
}

const get = (path: string) => fetch(`${one.http}${path}`)
const post = (path: string, body: object) =>
  fetch(`${one.http}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const joining = async ({ socket }: Device, groupId: string) =>
  ((await socket.emitWithAck('join_group', groupId)) as { status: number }).status

await t.test('memberships changed through another server hold at once', async (t) => {
  const { people, devices } = await gatherThere(3)
  const [a = '', b = '', c = ''] = people
  const [speaker, member, newcomer] = devices as [Device, Device, Device]
  const groupId = await makeGroup(databaseUrl, [a, b])
  for (const device of [speaker, member]) t.equal(await joining(device, groupId), 200)
  const say = async () => {
    const { text } = speaker.send('group', groupId)
    await settled(devices)
    return text
  }
  const first = await say()
  t.same(member.shown.texts, [first])

  await post('/group/add', { groupId, userId: c })
  t.equal(await joining(newcomer, groupId), 202, 'not yet')
  await post('/group/agree', { groupId, userId: c })
  const second = await say()
  t.same(newcomer.shown.texts, [second], 'who has joined is shown what is said')

  await get(`/del/groupUser?groupId=${groupId}&userId=${b}`)
  const third = await say()
  t.same(member.shown.texts, [first, second], 'who was removed is not')
  t.same(newcomer.shown.texts, [second, third])
})

await t.test('whoever opens a group is in its room though nothing was said since', async (t) => {
  const { people, devices } = await gatherThere(2)
  const [a = '', b = ''] = people
  const [owner, newcomer] = devices as [Device, Device]
  const groupId = await makeGroup(databaseUrl, [a])
  await post('/group/add', { groupId, userId: b })
  await post('/group/agree', { groupId, userId: b })
  t.equal(await joining(newcomer, groupId), 200)
  t.equal(await joining(owner, groupId), 200)

  await get(`/del/groupUser?groupId=${groupId}&userId=${b}`)
  t.equal(await joining(newcomer, groupId), 202)
})

await t.test('a group dissolved through another server is no more', async (t) => {
  const { history, people, devices } = await gatherThere(3)
  const [a = '', b = '', c = ''] = people
  const [speaker, member, friend] = devices as [Device, Device, Device]
  const groupId = await makeGroup(databaseUrl, [a, b, c])
  await makeFriends(databaseUrl, [[a, c]])
  const { text } = speaker.send('group', groupId)
  await settled(devices)

  await get(`/del/group?groupId=${groupId}`)
  const refused = speaker.send('group', groupId)
  // Whoever is shown this would have been shown what was refused.
  const later = speaker.send('private', c)
  await until('both are answered', () => speaker.open === 0)
  t.equal(refused.status, 404)
  t.equal(later.status, 200)
  await settled(devices)
  t.same(member.shown.texts, [text])
  t.same(friend.shown.texts, [text, later.text])
  for (const device of devices) t.equal(await joining(device, groupId), 404, 'the room is left')
  t.same(history.incidents, [])
})

await t.test(
  'a friendship that ends elsewhere while somebody comes back brings nothing',
  async (t) => {
    const { history, people, devices } = await gatherThere(3)
    const [a = '', b = '', c = ''] = people
    const [former, returning, friend] = devices as [Device, Device, Device]
    await makeFriends(databaseUrl, [
      [a, b],
      [b, c],
    ])
    const comeBack = await takeAway(returning)
    former.send('private', b)
    const { text } = friend.send('private', b)
    await until('all is stored', () => history.acknowledged === 2)
    let isBack: Promise<void> | undefined
    await withDatabase(databaseUrl, async (db) => {
      // Its groups are asked for first.
      await db.query('begin')
      await db.query('lock table group_members')
      isBack = comeBack()
      await until('it has begun to come back', () => isWaited(db))
      await get(`/del/friend?userId=${a}&friendId=${b}`)
      await db.query('rollback')
    })
    await isBack
    t.same(returning.shown.texts, [text])
    former.send('private', b)
    await settled(devices)
    t.same(returning.shown.texts, [text])
  },
)

await t.test('two servers on one database deliver what either stores', async (t) => {
  const history = new History()
  const [a = '', b = '', c = ''] = await makePeople(databaseUrl, 3)
  await makeFriends(databaseUrl, [[a, b]])
  const groupId = await makeGroup(databaseUrl, [a, b, c])
  const [speaker] = await gather(scope, one.socket, [a], history, () => eager)
  const [member, removed] = await gather(scope, other.socket, [b, c], history, () => eager)
  speaker.send('group', groupId)
  speaker.send('private', b)
  await until('it came over', () => member.shown.texts.length === 2)
  await until('it came over', () => removed.shown.texts.length === 1)

  await get(`/del/groupUser?groupId=${groupId}&userId=${c}`)
  const comeBack = await takeAway(member)
  speaker.send('group', groupId)
  await until('it is stored', () => history.acknowledged === 3)
  // Its session and its bookmark are good on every server.
  Object.assign(member.socket.io, { uri: one.socket })
  await comeBack()
  member.send('private', a)
  await settled([speaker, member, removed])
  const findings = await audit(databaseUrl, history, {
    complete: [speaker.shown, member.shown],
    forbidden: (shown) => new Set(shown === removed.shown ? member.shown.texts.slice(-1) : []),
  })
  t.same(findings.summary(), [])
  t.equal(removed.shown.texts.length, 1)
  t.equal(member.shown.texts.length, 3)
})
