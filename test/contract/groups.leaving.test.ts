import t from 'tap'
import { expectAck, expectAnswer } from './coverage.ts'
import { createGroup, joinGroup } from './groups.ts'
import { at, type Json } from './json.ts'
import { register, textMessage, type Person } from './people.ts'
import { serve } from './server.ts'
import type { Connection } from './socket.ts'

const NOBODY = '0123456789abcdef01234567'

const server = await serve(t)
const client = server.client()
const owner = await register(client, '群主')
const member = await register(client, '小明')
const other = await register(client, '小红')
const ownersSocket = await client.connect()
const membersSockets = [await client.connect(), await client.connect()]
const othersSocket = await client.connect()
await ownersSocket.login(owner.id)
for (const socket of membersSockets) await socket.login(member.id)
await othersSocket.login(other.id)
t.teardown(() => {
  for (const socket of [ownersSocket, othersSocket, ...membersSockets]) socket.close()
})

const say = (groupId: string, message: string, socket = ownersSocket, sender = owner) =>
  socket.emitWithAck('group_chat', textMessage(sender, message), sender.id, groupId)
/** What a socket was sent in a group; all that was sent before has arrived. */
const heard = async (socket: Connection, groupId: string) => {
  await socket.emitWithAck('join_group', NOBODY)
  const chats = socket.received('group_chat').map(([data = null]) => data)
  return chats.filter((data) => at(data, 'toId') === groupId).map((data) => at(data, 'message'))
}
const members = async (groupId: string) => {
  const { body } = await client.get('/get/groupUser', { groupId })
  return (at(body, 'data', 'groupUser') as Json[]).map((row) => at(row, 'userId', '_id'))
}
const groupsOf = async ({ id }: Person) => {
  const { body } = await client.get('/contacts/group', { userId: id })
  return (at(body, 'data') as Json[]).map((row) => at(row, 'groupId', '_id'))
}
const listed = async ({ id }: Person) => {
  const { body } = await client.get('/message/list', { userId: id })
  return (at(body, 'data') as Json[]).map((row) => at(row, '_id'))
}

await t.test('joining and leaving take effect at once on every device', async (t) => {
  const groupId = await createGroup(client, owner, '进出')
  await say(groupId, '无人')
  await joinGroup(client, groupId, member, other)
  for (const socket of membersSockets) {
    expectAck(t, 'join_group', await socket.emitWithAck('join_group', groupId), 200)
  }
  await say(groupId, '一')
  const leave = { groupId, userId: member.id }
  expectAnswer(t, await client.get('/del/groupUser', leave), 23, 'success')
  expectAck(t, 'group_chat', await say(groupId, '二'), 200)
  t.same(await heard(othersSocket, groupId), ['一', '二'])
  for (const socket of membersSockets) {
    t.same(await heard(socket, groupId), ['一'])
    t.equal(socket.received('unread_message').length, 1)
    expectAck(t, 'join_group', await socket.emitWithAck('join_group', groupId), 202)
    expectAck(t, 'group_chat', await say(groupId, '不', socket, member), 202)
  }
  t.same(await members(groupId), [owner.id, other.id])
  t.same(await groupsOf(member), [])
  t.same(await listed(member), [])
  const page = { groupId, userId: member.id, pageNum: 1 }
  expectAnswer(t, await client.get('/message/group', page), 37, '未加入该群')
  expectAnswer(t, await client.get('/del/groupUser', leave), 23, 'success')

  await joinGroup(client, groupId, member)
  t.same(await members(groupId), [owner.id, other.id, member.id])
  await say(groupId, '三')
  for (const socket of membersSockets) t.same(await heard(socket, groupId), ['一', '三'])
  const { body } = await client.get('/message/list', { userId: member.id })
  t.equal(at(body, 'data', 0, 'unreadMsgCount'), 1, 'coming back begins with nothing unread')
})

await t.test('who creates a group hears it at once', async (t) => {
  const groupId = await createGroup(client, member, '新群')
  await joinGroup(client, groupId, owner)
  await say(groupId, '你好')
  for (const socket of membersSockets) t.same(await heard(socket, groupId), ['你好'])
})

await t.test('what cannot be removed, and what is gone already', async (t) => {
  const groupId = await createGroup(client, owner, '移除')
  await joinGroup(client, groupId, member)
  await client.post('/group/add', { groupId, userId: other.id })
  const remove = (userId?: string, id: string | undefined = groupId) =>
    client.get('/del/groupUser', { userId, groupId: id })
  expectAnswer(t, await remove(owner.id), 23, 'error')
  t.same(await members(groupId), [owner.id, member.id])
  expectAnswer(t, await remove('x'), 23, 'error')
  expectAnswer(t, await remove(undefined), 23, 'error')
  expectAnswer(t, await remove(member.id, 'x'), 23, 'error')
  expectAnswer(t, await remove(NOBODY), 23, 'success')
  expectAnswer(t, await remove(member.id, NOBODY), 23, 'success')
  expectAnswer(t, await remove(other.id), 23, 'success')
  const state = await client.get('/home/group', { groupId, userId: other.id })
  t.equal(at(state.body, 'state'), 0, 'an application is not a membership')
  const five = await Promise.all(Array.from({ length: 5 }, () => remove(member.id)))
  for (const answer of five) expectAnswer(t, answer, 23, 'success')
  t.same(await members(groupId), [owner.id])
})

await t.test('a dissolved group disappears everywhere', async (t) => {
  const groupId = await createGroup(client, owner, '解散群')
  const { body } = await client.get('/home/group', { groupId, userId: owner.id })
  const number = Number(at(body, 'data', 'group', 'groupNumber'))
  await joinGroup(client, groupId, member)
  await client.post('/group/add', { groupId, userId: other.id })
  await say(groupId, '最后')
  for (const wrong of ['x', undefined]) {
    expectAnswer(t, await client.get('/del/group', { groupId: wrong }), 24, 'error')
  }
  const five = Array.from({ length: 5 }, () => client.get('/del/group', { groupId }))
  for (const answer of await Promise.all(five)) expectAnswer(t, answer, 24, 'success')
  expectAnswer(t, await client.get('/del/group', { groupId: NOBODY }), 24, 'success')

  for (const person of [owner, member]) {
    t.notOk((await groupsOf(person)).includes(groupId))
    t.notOk((await listed(person)).includes(groupId))
  }
  const userId = member.id
  expectAnswer(t, await client.get('/home/group', { groupId, userId }), 16, 'error')
  expectAnswer(t, await client.get('/get/groupUser', { groupId }), 17, 'error')
  expectAnswer(t, await client.get('/message/group', { groupId, userId }), 37, 'error')
  expectAnswer(t, await client.get('/message/read/group', { userId, id: groupId }), 44, 'error')
  const asLeader = { groupId, groupLeaderId: owner.id }
  expectAnswer(t, await client.get('/get/update/group', asLeader), 21, 'error')
  const change = { _id: groupId, groupName: '还在', sign: '还在' }
  expectAnswer(t, await client.post('/update/groupInfo', change), 22, 'error')
  expectAnswer(t, await client.post('/group/add', { groupId, userId }), 18, 'error')
  const applied = { groupId, userId: other.id }
  expectAnswer(t, await client.post('/group/agree', applied), 26, 'error')
  expectAnswer(t, await client.post('/group/refuse', applied), 19, 'error')
  expectAnswer(t, await client.get('/get/group/noagree', { userId: owner.id }), 25, 'success', {
    data: (rows: Json) =>
      Array.isArray(rows) && rows.every((row) => at(row, 'groupId', '_id') !== groupId),
  })
  for (const keyword of ['解散群', number]) {
    expectAnswer(t, await client.get('/search', { keyword }), 7, '暂无数据')
  }
  expectAck(t, 'group_chat', await say(groupId, '没了'), 404)
  for (const socket of membersSockets) {
    t.same(await heard(socket, groupId), ['最后'])
    expectAck(t, 'join_group', await socket.emitWithAck('join_group', groupId), 404)
  }
})

await t.test('a device that comes later finds the same rooms', async (t) => {
  const groupId = await createGroup(client, owner, '后来')
  const gone = await createGroup(client, owner, '走了')
  await joinGroup(client, groupId, member)
  await joinGroup(client, gone, member)
  await client.get('/del/groupUser', { groupId: gone, userId: member.id })
  const late = await client.connect()
  await late.login(member.id)
  await say(groupId, '听见')
  await say(gone, '听不见')
  t.same(await heard(late, groupId), ['听见'])
  t.same(await heard(late, gone), [])
  expectAck(t, 'logout', await late.emitWithAck('logout', ''), 200)
  expectAck(t, 'join_group', await late.emitWithAck('join_group', groupId), 202)
  await say(groupId, '登出后')
  t.same(await heard(late, groupId), ['听见'])
  late.close()
})
