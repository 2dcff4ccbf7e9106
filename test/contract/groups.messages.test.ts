import t from 'tap'
import { expectAck, expectAnswer, expectEvent } from './coverage.ts'
import { createGroup, joinGroup } from './groups.ts'
import { at, type Json } from './json.ts'
import { register, textMessage, type Person } from './people.ts'
import { serve } from './server.ts'

const NOBODY = '0123456789abcdef01234567'

const server = await serve(t)
const client = server.client()
const owner = await register(client, '群主')
const member = await register(client, '小明')
const silent = await register(client, '小红')
const stranger = await register(client, '路人')
const sockets = {
  owner: await client.connect(),
  ownersOther: await client.connect(),
  member: await client.connect(),
  membersOther: await client.connect(),
  silent: await client.connect(),
  stranger: await client.connect(),
}
t.teardown(() => {
  for (const socket of Object.values(sockets)) socket.close()
})
await sockets.owner.login(owner.id)
await sockets.ownersOther.login(owner.id)
await sockets.member.login(member.id)
await sockets.membersOther.login(member.id)
await sockets.silent.login(silent.id)
await sockets.stranger.login(stranger.id)

const publicly = ({ id, nick }: Person) => ({ _id: id, nick, imgUrl: '/user_pic1.jpeg' })
const send = (name: keyof typeof sockets, sender: Person, groupId: string, message: string) =>
  sockets[name].emitWithAck('group_chat', textMessage(sender, message), sender.id, groupId)
const list = async ({ id }: Person) => {
  return at((await client.get('/message/list', { userId: id })).body, 'data') as Json[]
}
const unread = async (person: Person, groupId: string) => {
  const row = (await list(person)).find((one) => at(one, '_id') === groupId)
  return at(row, 'unreadMsgCount')
}
/** Everything that was sent to a socket before has arrived when this resolves. */
const settled = () =>
  Promise.all(Object.values(sockets).map((socket) => socket.emitWithAck('join_group', NOBODY)))

await t.test('a group message reaches all other members on all their devices', async (t) => {
  const groupId = await createGroup(client, owner, '聊天')
  await joinGroup(client, groupId, member, silent)
  expectAck(t, 'join_group', await sockets.owner.emitWithAck('join_group', groupId), 200)
  expectAck(t, 'join_group', await sockets.stranger.emitWithAck('join_group', groupId), 202)
  expectAck(t, 'join_group', await sockets.stranger.emitWithAck('join_group', NOBODY), 404)
  expectAck(t, 'join_group', await sockets.stranger.emitWithAck('join_group', 'x'), 405)

  const lied = { ...textMessage(owner, '大家好', 5), userId: publicly(stranger) }
  const ack = await sockets.owner.emitWithAck('group_chat', lied, owner.id, groupId)
  expectAck(t, 'group_chat', ack, 200)
  for (const name of ['member', 'membersOther', 'silent'] as const) {
    const live = {
      userId: publicly(owner),
      groupInfo: { _id: groupId, groupName: '聊天', imgUrl: '/group_pic.png' },
      msgType: 5,
      message: '大家好',
      time: at(ack, 'time'),
      fromId: owner.id,
      toId: groupId,
    }
    expectEvent(t, 'group_chat', await sockets[name].next('group_chat'), [live])
    const unreadFrom = await sockets[name].next('unread_message')
    expectEvent(t, 'group_chat unread_message', unreadFrom, [groupId])
  }
  await settled()
  for (const name of ['owner', 'ownersOther', 'stranger'] as const) {
    t.same(sockets[name].received('group_chat'), [], `${name} gets nothing`)
    t.same(sockets[name].received('unread_message'), [])
  }
  t.equal(sockets.member.received('unread_message').length, 1)

  const page = { groupId, userId: silent.id, pageNum: 1 }
  expectAnswer(t, await client.get('/message/group', page), 37, 'success', {
    data: {
      groupNick: { _id: groupId, groupName: '聊天' },
      messageList: [
        {
          _id: at(ack, '_id'),
          groupId,
          userId: publicly(owner),
          message: '大家好',
          msgType: 5,
        },
      ],
    },
  })
})

await t.test('what is refused is stored nowhere', async (t) => {
  const groupId = await createGroup(client, owner, '拒绝')
  await joinGroup(client, groupId, member)
  await client.post('/group/add', { groupId, userId: silent.id })
  expectAck(t, 'group_chat', await send('stranger', stranger, groupId, 'a'), 202)
  expectAck(t, 'group_chat', await send('silent', silent, groupId, 'a'), 202)
  expectAck(t, 'group_chat', await send('stranger', stranger, NOBODY, 'a'), 404)
  expectAck(t, 'group_chat', await send('stranger', member, groupId, 'a'), 403)
  expectAck(t, 'group_chat', await send('member', member, 'x', 'a'), 405)
  const tooLong = textMessage(member, 'a'.repeat(20_001))
  const ack = await sockets.member.emitWithAck('group_chat', tooLong, member.id, groupId)
  expectAck(t, 'group_chat', ack, 405)

  const page = { groupId, userId: owner.id, pageNum: 1 }
  expectAnswer(t, await client.get('/message/group', page), 37, '暂无更多', {
    data: { _id: groupId, groupName: '拒绝' },
  })
  const asStranger = await client.get('/message/group', { ...page, userId: stranger.id })
  expectAnswer(t, asStranger, 37, '未加入该群', { data: { _id: groupId, groupName: '拒绝' } })
  const asApplicant = await client.get('/message/group', { ...page, userId: silent.id })
  expectAnswer(t, asApplicant, 37, '未加入该群')
  for (const wrong of [
    { groupId: NOBODY },
    { groupId: 'x' },
    { groupId: undefined },
    { userId: NOBODY },
    { userId: 'x' },
    { pageNum: 0 },
    { pageNum: -1 },
    { pageNum: '1.5' },
    { pageNum: 'x' },
  ]) {
    expectAnswer(t, await client.get('/message/group', { ...page, ...wrong }), 37, 'error')
  }
  t.equal(await unread(owner, groupId), undefined, 'without a message it is not in the list')
})

await t.test('history pages of 20, the newest first', async (t) => {
  const groupId = await createGroup(client, owner, '历史')
  await joinGroup(client, groupId, member)
  const texts = Array.from({ length: 45 }, (_, index) => `第${index}句`)
  for (const [index, text] of texts.entries()) {
    await send(index % 2 ? 'owner' : 'member', index % 2 ? owner : member, groupId, text)
  }
  const page = async (pageNum: number | undefined, wanted: string[]) => {
    const answer = await client.get('/message/group', { groupId, userId: member.id, pageNum })
    expectAnswer(t, answer, 37, 'success', {
      data: { messageList: wanted.map((message) => ({ groupId, message, msgType: 0 })) },
    })
  }
  await page(1, texts.slice(25))
  await page(undefined, texts.slice(25))
  await page(2, texts.slice(5, 25))
  await page(3, texts.slice(0, 5))
  const past = await client.get('/message/group', { groupId, userId: member.id, pageNum: 4 })
  expectAnswer(t, past, 37, '暂无更多', { data: { _id: groupId, groupName: '历史' } })
})

await t.test('what is unread, and reading it', async (t) => {
  const groupId = await createGroup(client, owner, '未读')
  await joinGroup(client, groupId, member)
  await send('owner', owner, groupId, '一')
  await send('owner', owner, groupId, '二')
  await send('member', member, groupId, '三')
  t.equal(await unread(member, groupId), 2, 'one’s own are never unread')
  t.equal(await unread(owner, groupId), 1)

  await joinGroup(client, groupId, silent)
  t.equal(await unread(silent, groupId), 0, 'who joins has nothing unread')
  const page = { groupId, userId: silent.id, pageNum: 1 }
  expectAnswer(t, await client.get('/message/group', page), 37, 'success', {
    data: { messageList: [{ message: '一' }, { message: '二' }, { message: '三' }] },
  })

  await send('silent', silent, groupId, '四')
  const answer = await client.get('/message/list', { userId: member.id })
  expectAnswer(t, answer, 43, 'success')
  t.match(at(answer.body, 'data', 0), {
    _id: groupId,
    groupName: '未读',
    imgUrl: '/group_pic.png',
    lastMsg: { message: '四', msgType: 0 },
    type: 'groupChat',
    unreadMsgCount: 3,
  })
  for (const again of [1, 2]) {
    const read = await client.get('/message/read/group', { userId: member.id, id: groupId })
    expectAnswer(t, read, 44, 'success')
    t.equal(await unread(member, groupId), 0, `read ${again} times`)
  }
  t.equal(await unread(owner, groupId), 2)
  await send('member', member, groupId, '五')
  await send('membersOther', member, groupId, '六')
  t.equal(await unread(member, groupId), 0)
  t.equal(await unread(owner, groupId), 4)

  const [, listed] = await Promise.all([
    client.get('/message/read/group', { userId: owner.id, id: groupId }),
    list(owner),
  ])
  t.equal(at(listed, 0, 'unreadMsgCount'), 0, 'a list asked for after a read reflects it')
  for (const userId of [NOBODY, 'x', undefined]) {
    expectAnswer(t, await client.get('/message/list', { userId }), 43, 'error')
  }
  for (const [type, id] of [
    ['group', NOBODY],
    ['group', 'x'],
    ['group', undefined],
    ['undefined', groupId],
  ] as const) {
    const read = await client.get(`/message/read/${type}`, { userId: member.id, id })
    expectAnswer(t, read, 44, 'error')
  }
})
