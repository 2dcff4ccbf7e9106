import t from 'tap'
import { expectAck, expectAnswer, expectEvent } from './coverage.ts'
import { freePhone, textMessage } from './people.ts'
import { serve } from './server.ts'
import { stringAt } from './json.ts'

const DEFAULT_SIGN = '这个人很高冷, 暂时没有留下什么'

await t.test('two people meet and talk, and all is there after a restart', async (t) => {
  const server = await serve(t)
  const client = server.client()

  const [phoneA, phoneB] = [freePhone(), freePhone()]
  const registered = (phone: string, nick: string) => ({
    data: { phone, nick, imgUrl: '/user_pic1.jpeg', sex: '未知', birthday: '', start: '' },
  })
  const bodyA = expectAnswer(
    t,
    await client.post('/register', { phone: phoneA, password: 'a-secret', nick: '小明' }),
    1,
    '注册成功返回',
    registered(phoneA, '小明'),
  )
  const bodyB = expectAnswer(
    t,
    await client.post('/register', { phone: phoneB, password: 'b-secret', nick: '小红花' }),
    1,
    '注册成功返回',
    registered(phoneB, '小红花'),
  )
  const a = { id: stringAt(bodyA, 'data', '_id'), phone: phoneA, nick: '小明', token: '' }
  const b = { id: stringAt(bodyB, 'data', '_id'), phone: phoneB, nick: '小红花', token: '' }

  let socketA = await client.connect()
  let socketB = await client.connect()
  socketA.emit('login', a.id)
  expectEvent(t, 'login', await socketA.next('login', (id) => id === socketA.socket.id), [
    socketA.socket.id ?? '',
  ])
  await socketB.login(b.id)

  expectAnswer(t, await client.get('/search', { keyword: '红' }), 7, 'success', {
    data: {
      friendList: [{ _id: b.id, nick: '小红花', imgUrl: '/user_pic1.jpeg', sign: DEFAULT_SIGN }],
      groupList: [],
    },
  })

  expectAnswer(t, await client.post('/friend/add', { userId: a.id, friendId: b.id }), 8, 'success')
  expectEvent(t, 'apply_notice', await socketB.next('apply_notice'), [
    { friendNoticeNum: 1, groupNoticeNum: 0 },
  ])
  expectAnswer(t, await client.get('/get/friend/noagree', { userId: b.id }), 11, 'success', {
    data: [{ userId: b.id, friendId: { _id: a.id, nick: '小明' }, state: 4 }],
  })
  expectAnswer(
    t,
    await client.post('/friend/agree', { userId: b.id, friendId: a.id }),
    12,
    'success',
  )
  expectEvent(t, 'agree_apply', await socketA.next('agree_apply'), [null])

  socketA.emit('private_chat', textMessage(a, '你好'), a.id, b.id)
  expectEvent(t, 'private_chat', await socketB.next('private_chat'), [
    {
      userId: { _id: a.id, nick: '小明', imgUrl: '/user_pic1.jpeg' },
      msgType: 0,
      message: '你好',
      fromId: a.id,
      toId: b.id,
    },
  ])
  expectEvent(t, 'private_chat unread_message', await socketB.next('unread_message'), [a.id])
  const acknowledged = await socketA.emitWithAck('private_chat', textMessage(a, '在吗'), a.id, b.id)
  expectAck(t, 'private_chat', acknowledged, 200)

  const listOf = async (userId: string, unread: number, message: string, other: typeof a) => {
    expectAnswer(t, await client.get('/message/list', { userId }), 43, 'success', {
      data: [
        {
          _id: other.id,
          nick: other.nick,
          lastMsg: { message, msgType: 0 },
          type: 'friendChat',
          unreadMsgCount: unread,
        },
      ],
    })
  }
  await listOf(b.id, 2, '在吗', a)
  await listOf(a.id, 0, '在吗', b)
  const read = await client.get('/message/read/friend', { userId: b.id, id: a.id })
  expectAnswer(t, read, 44, 'success')
  await listOf(b.id, 0, '在吗', a)
  await socketB.emitWithAck('private_chat', textMessage(b, '在的'), b.id, a.id)
  await listOf(a.id, 1, '在的', b)
  await listOf(b.id, 0, '在的', a)

  const history = async () => {
    const answer = await client.get('/message/friend', { userId: a.id, friendId: b.id, pageNum: 1 })
    expectAnswer(t, answer, 36, 'success', {
      data: {
        friendNick: { _id: b.id, nick: '小红花' },
        messageList: [
          { userId: { _id: a.id }, friendId: { _id: b.id }, message: '你好', state: 1 },
          { userId: { _id: a.id }, friendId: { _id: b.id }, message: '在吗', state: 1 },
          { userId: { _id: b.id }, friendId: { _id: a.id }, message: '在的', state: 0 },
        ],
      },
    })
  }
  await history()

  socketA.close()
  socketB.close()
  await server.restart()
  const again = await client.post('/login', { phone: phoneA, password: 'a-secret' })
  expectAnswer(t, again, 2, '登陆成功', { data: { _id: a.id, nick: '小明' } })
  await history()
  await listOf(a.id, 1, '在的', b)

  socketA = await client.connect()
  socketB = await client.connect()
  await socketA.login(a.id)
  await socketB.login(b.id)
  socketB.emit('private_chat', textMessage(b, '又见面了'), b.id, a.id)
  await socketA.next('private_chat', (data) => data !== null)
  await listOf(a.id, 2, '又见面了', b)
  socketA.close()
  socketB.close()
})
