/** Two server processes on one database: who is in a group is the same on both. */
import t from 'tap'
import { History } from '../faults/history.ts'
import type { Device } from '../faults/device.ts'
import { gather, settled } from '../faults/load.ts'
import { patiently, scopeOf } from '../faults/scope.ts'
import { FaultyServer } from '../faults/server.ts'
import { makeGroup, makePeople } from '../faults/world.ts'

patiently(t)

await t.test('memberships changed through another server hold at once', async (t) => {
  const scope = scopeOf(t)
  const one = await FaultyServer.start(scope)
  const { databaseUrl } = one
  const other = await FaultyServer.start(scope, { databaseUrl })
  const [a = '', b = '', c = ''] = await makePeople(databaseUrl, 3)
  const groupId = await makeGroup(databaseUrl, [a, b])
  const history = new History()
  const [speaker, member, newcomer] = (await gather(scope, other.socket, [a, b, c], history)) as [
    Device,
    Device,
    Device,
  ]
  const post = (path: string, body: object) =>
    fetch(`${one.http}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const say = async () => {
    const { text } = speaker.send('group', groupId)
    await settled([speaker, member, newcomer])
    return text
  }
  const first = await say()
  t.same(member.shown.texts, [first])

  await post('/group/add', { groupId, userId: c })
  await post('/group/agree', { groupId, userId: c })
  const second = await say()
  t.same(newcomer.shown.texts, [second], 'who has joined is shown what is said')

  await fetch(`${one.http}/del/groupUser?groupId=${groupId}&userId=${b}`)
  const third = await say()
  t.same(member.shown.texts, [first, second], 'who was removed is not')
  t.same(newcomer.shown.texts, [second, third])
})
