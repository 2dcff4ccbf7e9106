import t from 'tap'
import { fieldErrors } from './contract.ts'
import { expectAck, expectAnswer, expectEvent } from './coverage.ts'
import { createGroup, joinGroup } from './groups.ts'
import { at, type Json } from './json.ts'
import { freePhone, register } from './people.ts'
import { serve } from './server.ts'

const NOBODY = '0123456789abcdef01234567'

const server = await serve(t)
const client = server.client()
const owner = await register(client, '群主')
const applicant = await register(client, '申请人')
const userId = applicant.id

const waiting = async (ownerId = owner.id) => {
  const { body } = await client.get('/get/group/noagree', { userId: ownerId })
  return at(body, 'data') as Json[]
}
const stateOf = async (groupId: string) => {
  return at((await client.get('/home/group', { groupId, userId })).body, 'state')
}

await t.test('an application is sent, shown and agreed to', async (t) => {
  const groupId = await createGroup(client, owner, '甲')
  const ownersSocket = await client.connect()
  const applicantsSocket = await client.connect()
  await ownersSocket.login(owner.id)
  await applicantsSocket.login(userId)

  expectAnswer(t, await client.post('/group/add', { groupId, userId }), 18, 'success')
  expectEvent(t, 'apply_notice', await ownersSocket.next('apply_notice'), [
    { friendNoticeNum: 0, groupNoticeNum: 1 },
  ])
  const shown = {
    groupId: { _id: groupId, groupName: '甲', imgUrl: '/group_pic.png' },
    userId: { _id: userId, nick: '申请人', imgUrl: '/user_pic1.jpeg' },
    state: undefined,
  }
  const list = await client.get('/get/group/noagree', { userId: owner.id })
  const body = expectAnswer(t, list, 25, 'success', { data: [shown] })
  t.equal(await stateOf(groupId), 0)

  expectAnswer(t, await client.post('/group/add', { groupId, userId }), 18, 'success')
  t.same(await waiting(), at(body, 'data'), 'applying twice changes nothing')
  t.same((await client.get('/get/group/noagree', { userId })).body, { status: 200, data: [] })

  expectAnswer(t, await client.post('/group/agree', { groupId, userId }), 26, 'success')
  expectEvent(t, 'agree_apply', await applicantsSocket.next('agree_apply'), [null])
  const acked = await ownersSocket.emitWithAck('agree_apply', userId)
  expectAck(t, 'agree_apply', acked, 200)
  t.equal(await stateOf(groupId), 1)
  t.same(await waiting(), [])
  expectAck(t, 'join_group', await applicantsSocket.emitWithAck('join_group', groupId), 200)
  t.equal(applicantsSocket.received('agree_apply').length, 1, 'the same news is told once')

  for (const again of ['/group/agree', '/group/refuse']) {
    const number = again === '/group/agree' ? 26 : 19
    expectAnswer(t, await client.post(again, { groupId, userId }), number, 'error')
  }
  expectAnswer(t, await client.post('/group/add', { groupId, userId }), 18, 'error')
  const asOwner = { groupId, userId: owner.id }
  expectAnswer(t, await client.post('/group/add', asOwner), 18, 'error')
  t.equal(await stateOf(groupId), 1)
  ownersSocket.close()
  applicantsSocket.close()
})

await t.test('an application is refused, and may be sent again', async (t) => {
  const groupId = await createGroup(client, owner, '乙')
  await client.post('/group/add', { groupId, userId })
  expectAnswer(t, await client.post('/group/refuse', { groupId, userId }), 19, 'success')
  t.equal(await stateOf(groupId), 2)
  expectAnswer(t, await client.post('/group/refuse', { groupId, userId }), 19, 'error')
  expectAnswer(t, await client.post('/group/agree', { groupId, userId }), 26, 'error')
  t.equal(await stateOf(groupId), 2)
  await client.post('/group/add', { groupId, userId })
  t.equal(await stateOf(groupId), 0)
})

await t.test('/login with groupId and userId applies, too', async (t) => {
  const groupId = await createGroup(client, owner, '丙')
  expectAnswer(t, await client.post('/login', { groupId, userId }), 18, 'success')
  t.equal(await stateOf(groupId), 0)
  expectAnswer(t, await client.postJson('/login', { groupId, userId }), 18, 'success')

  const noUser = fieldErrors({ path: 'userId', msg: 'userId参数不能为空' })
  const noGroup = fieldErrors({ path: 'groupId', msg: 'groupId参数不能为空' })
  for (const url of ['/login', '/group/add']) {
    expectAnswer(t, await client.post(url, { groupId }), 18, '参数缺省', noUser)
    expectAnswer(t, await client.post(url, { userId }), 18, '参数缺省', noGroup)
    for (const id of [NOBODY, 'x']) {
      expectAnswer(t, await client.post(url, { groupId: id, userId }), 18, 'error')
      expectAnswer(t, await client.post(url, { groupId, userId: id }), 18, 'error')
    }
  }
  expectAnswer(t, await client.post('/group/add', {}), 18, '参数缺省')
  const bothEmpty = fieldErrors(
    { path: 'groupId', msg: 'groupId参数不能为空', value: '' },
    { path: 'userId', msg: 'userId参数不能为空', value: '' },
  )
  const empty = { groupId: '', userId: '' }
  expectAnswer(t, await client.post('/login', empty), 18, '参数缺省', bothEmpty)
})

await t.test('/login with phone or password, or with nothing, logs in', async (t) => {
  const groupId = await createGroup(client, owner, '丁')
  const both = { groupId, userId }
  const { phone } = applicant
  const answer = await client.post('/login', { ...both, phone, password: 'secret' })
  expectAnswer(t, answer, 2, '登陆成功', { data: { _id: userId } })
  expectAnswer(t, await client.post('/login', { ...both, phone }), 2, '服务器错误')
  expectAnswer(t, await client.post('/login', { ...both, password: 'secret' }), 2, '服务器错误')
  const unknown = { ...both, phone: freePhone(), password: 'x' }
  expectAnswer(t, await client.post('/login', unknown), 2, '该用户不存在')
  expectAnswer(t, await client.post('/login', { ...both, phone: '' }), 2, '服务器错误')
  expectAnswer(t, await client.post('/login', {}), 2, '服务器错误')
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }
  expectAnswer(t, await client.request('/login', init), 2, '服务器错误')
  t.equal(await stateOf(groupId), 2)
})

await t.test('applications are listed newest first, and counted', async (t) => {
  const busy = await register(client, '很忙')
  const groups = [await createGroup(client, busy, '一群'), await createGroup(client, busy, '二群')]
  const people = [applicant, await register(client, '又一个')]
  const socket = await client.connect()
  socket.emit('init_apply_notice', busy.id)
  expectEvent(t, 'init_apply_notice', await socket.next('init_apply_notice'), [
    { friendNoticeNum: 0, groupNoticeNum: 0 },
  ])
  const sent: { groupId: string; userId: string }[] = []
  for (const groupId of groups) {
    for (const { id } of people) {
      sent.push({ groupId, userId: id })
      await client.post('/group/add', { groupId, userId: id })
      await socket.next('apply_notice', (counts) => at(counts, 'groupNoticeNum') === sent.length)
    }
  }
  const list = await client.get('/get/group/noagree', { userId: busy.id })
  expectAnswer(t, list, 25, 'success', {
    data: sent
      .toReversed()
      .map(({ groupId, userId }) => ({ groupId: { _id: groupId }, userId: { _id: userId } })),
  })
  await client.post('/friend/add', { userId, friendId: busy.id })
  await socket.next('apply_notice', (counts) => at(counts, 'friendNoticeNum') === 1)
  socket.emit('apply_notice', busy.id)
  expectEvent(t, 'apply_notice', await socket.next('apply_notice'), [
    { friendNoticeNum: 1, groupNoticeNum: 4 },
  ])
  const [first] = groups as [string]
  await client.post('/group/agree', { groupId: first, userId })
  await client.post('/group/refuse', { groupId: first, userId: people[1]?.id })
  await client.get('/del/group', { groupId: groups[1] })
  t.same(await waiting(busy.id), [])
  socket.emit('init_apply_notice', busy.id)
  expectEvent(t, 'init_apply_notice', await socket.next('init_apply_notice'), [
    { friendNoticeNum: 1, groupNoticeNum: 0 },
  ])
  socket.close()
})

await t.test('ids that are malformed or nobody’s', async (t) => {
  const groupId = await createGroup(client, owner, '戊')
  for (const id of [NOBODY, 'x', undefined]) {
    for (const [url, number] of [
      ['/group/agree', 26],
      ['/group/refuse', 19],
    ] as const) {
      expectAnswer(t, await client.post(url, { groupId: id, userId }), number, 'error')
      expectAnswer(t, await client.post(url, { groupId, userId: id }), number, 'error')
    }
    expectAnswer(t, await client.get('/get/group/noagree', { userId: id }), 25, 'error')
  }
})

await t.test('64 applications of one person at once make one', async (t) => {
  const groupId = await createGroup(client, owner, '六十四')
  const many = Array.from({ length: 64 }, () => client.post('/group/add', { groupId, userId }))
  for (const answer of await Promise.all(many)) expectAnswer(t, answer, 18, 'success')
  const list = (await waiting()).filter((row) => at(row, 'groupId', '_id') === groupId)
  t.equal(list.length, 1)
  await joinGroup(client, groupId, applicant)
  const { body } = await client.get('/get/groupUser', { groupId })
  t.equal((at(body, 'data', 'groupUser') as Json[]).length, 2)
})
