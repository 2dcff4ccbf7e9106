import t, { type Test } from 'tap'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Client } from './client.ts'
import type { Expectation } from './contract.ts'
import { expectAck, expectAnswer } from './coverage.ts'
import { at, stringAt, type Json } from './json.ts'
import { befriend, friendsOnline, online, register, say, type Person } from './people.ts'
import { serve } from './server.ts'
import { execute } from '../helpers/databases.ts'
import { assertUnreadCounts } from '../helpers/unread.ts'

const NOBODY = '0123456789abcdef01234567'
const badIds = ['x', NOBODY.toUpperCase(), `${NOBODY}0`, undefined]

const server = await serve(t)
const client = server.client()

const page = (viewer: Person, friend: Person, pageNum?: string | number) =>
  client.get('/message/friend', { userId: viewer.id, friendId: friend.id, pageNum })

const read = (viewer: Person, friend: Person) =>
  client.get('/message/read/friend', { userId: viewer.id, id: friend.id })

/** The only conversation of somebody as `/message/list` shows it, in full. */
async function expectConversation(
  t: Test,
  viewer: Person,
  friend: Person,
  lastMsg: Record<string, Expectation>,
  unreadMsgCount: number,
): Promise<void> {
  const answer = await client.get('/message/list', { userId: viewer.id })
  const { id: _id, nick } = friend
  const entry = { _id, nick, imgUrl: '/user_pic1.jpeg', lastMsg, type: 'friendChat' }
  expectAnswer(t, answer, 43, 'success', { data: [{ ...entry, unreadMsgCount }] })
}

await t.test('36 gives pages of 20, the newest first, oldest first within', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const friendNick = { _id: b.id, nick: b.nick }
  const said: { mine: boolean; message: string; ack: Json }[] = []
  expectAnswer(t, await page(a, b, 1), 36, '暂无更多', { data: friendNick })

  const sayUntil = async (count: number) => {
    while (said.length < count) {
      const mine = said.length % 3 !== 1
      const message = `第${said.length + 1}条`
      const ack = await (mine ? say(socketA, a, b, message) : say(socketB, b, a, message))
      expectAck(t, 'private_chat', ack, 200)
      said.push({ mine, message, ack })
    }
  }
  const person = ({ id, nick }: Person) => ({ _id: id, nick, imgUrl: '/user_pic1.jpeg' })
  const expected = ({ mine, message, ack }: (typeof said)[number]) => ({
    _id: stringAt(ack, '_id'),
    userId: person(mine ? a : b),
    friendId: person(mine ? b : a),
    message,
    msgType: 0,
    time: (time: Json) =>
      Date.parse(time as string) === Math.floor(Date.parse(stringAt(ack, 'time')) / 1000) * 1000,
    state: 0,
  })
  for (const count of [1, 19, 20, 21, 41]) {
    await sayUntil(count)
    const pages = Math.ceil(count / 20)
    for (let number = 1; number <= pages; number += 1) {
      const messageList = said.slice(Math.max(0, count - 20 * number), count - 20 * (number - 1))
      const data = { friendNick, messageList: messageList.map(expected) }
      expectAnswer(t, await page(a, b, number), 36, 'success', { data })
      const seenByOther = { ...data, friendNick: { _id: a.id, nick: a.nick } }
      expectAnswer(t, await page(b, a, number), 36, 'success', { data: seenByOther })
      if (number === 1) expectAnswer(t, await page(a, b), 36, 'success', { data })
    }
    for (const number of [pages + 1, pages + 2, 1_000_001, '9'.repeat(40)])
      expectAnswer(t, await page(a, b, number), 36, '暂无更多', { data: friendNick })
  }
  for (const number of [
    '0',
    '-1',
    '1.5',
    '1e3',
    'x',
    '',
    ' 1',
    '0x1',
    '９',
    'NaN',
    '9'.repeat(200),
  ])
    expectAnswer(t, await page(a, b, number), 36, 'error')
})

await t.test('36 refuses strangers and unknown people', async (t) => {
  const [a, b] = [await register(client, '甲'), await register(client, '乙')]
  const stranger = { data: { friendNick: { _id: b.id, nick: '乙' } } }
  expectAnswer(t, await page(a, b), 36, '与该用户还不是好友', stranger)
  await client.post('/friend/add', { userId: a.id, friendId: b.id })
  expectAnswer(t, await page(a, b), 36, '与该用户还不是好友', stranger)
  for (const id of [...badIds, NOBODY]) {
    const asNobody = await client.get('/message/friend', { userId: id, friendId: b.id })
    expectAnswer(t, asNobody, 36, 'error')
    const ofNobody = await client.get('/message/friend', { userId: a.id, friendId: id })
    expectAnswer(t, ofNobody, 36, 'error')
  }
})

await t.test('36, 43, 44 count as unread what the other side said, until it is read', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const states = async (viewer: Person, other: Person, expected: number[]) => {
    const messageList = expected.map((state) => ({ state }))
    expectAnswer(t, await page(viewer, other), 36, 'success', { data: { messageList } })
  }
  for (const userId of [a.id, b.id]) {
    const list = await client.get('/message/list', { userId })
    expectAnswer(t, list, 43, 'success', { data: [] })
  }
  expectAnswer(t, await read(a, b), 44, 'success')
  await say(socketA, a, b, '一')
  await say(socketB, b, a, '二')
  const last = await say(socketA, a, b, '三')
  const lastMsg = {
    _id: stringAt(last, '_id'),
    message: '三',
    msgType: 0,
    time: /\(中国标准时间\)$/,
  }
  await expectConversation(t, a, b, lastMsg, 1)
  await expectConversation(t, b, a, lastMsg, 2)
  await states(a, b, [0, 0, 0])

  expectAnswer(t, await read(b, a), 44, 'success')
  expectAnswer(t, await read(b, a), 44, 'success')
  await expectConversation(t, a, b, lastMsg, 1)
  await expectConversation(t, b, a, lastMsg, 0)
  await states(a, b, [1, 0, 1])
  await states(b, a, [1, 0, 1])
  await say(socketA, a, b, '四')
  await expectConversation(t, b, a, { message: '四' }, 1)
  await states(b, a, [1, 0, 1, 0])
  expectAnswer(t, await read(a, b), 44, 'success')
  await expectConversation(t, a, b, { message: '四' }, 0)
  await states(a, b, [1, 1, 1, 0])

  for (const id of [...badIds, NOBODY]) {
    const asNobody = await client.get('/message/read/friend', { userId: id, id: a.id })
    expectAnswer(t, asNobody, 44, 'error')
    const ofNobody = await client.get('/message/read/friend', { userId: a.id, id })
    expectAnswer(t, ofNobody, 44, 'error')
    expectAnswer(t, await client.get('/message/list', { userId: id }), 43, 'error')
  }
  for (const type of ['undefined', 'Friend', 'private', '%E7%BE%A4', 'x'.repeat(500)]) {
    const answer = await client.get(`/message/read/${type}`, { userId: a.id, id: b.id })
    expectAnswer(t, answer, 44, 'error')
  }
})

await t.test('43 lists the newest conversation first', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const c = await register(client, '小刚')
  const silent = await register(client, '小静')
  await befriend(client, c, a)
  await befriend(client, silent, a)
  const order = async (...expected: Person[]) => {
    const answer = await client.get('/message/list', { userId: a.id })
    expectAnswer(t, answer, 43, 'success', { data: expected.map(({ id: _id }) => ({ _id })) })
  }
  await say(socketA, a, b, '一')
  await order(b)
  await say(socketA, a, c, '二')
  await order(c, b)
  await say(socketB, b, a, '三')
  await order(b, c)
})

await t.test(
  'a friendship that ended hides its messages, and a new one finds them read',
  async (t) => {
    const { a, b, socketA, socketB } = await friendsOnline(t, client)
    await say(socketA, a, b, '从前')
    await say(socketB, b, a, '很久')
    await client.get('/del/friend', { userId: a.id, friendId: b.id })
    for (const [viewer, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const list = await client.get('/message/list', { userId: viewer.id })
      expectAnswer(t, list, 43, 'success', { data: [] })
      expectAnswer(t, await page(viewer, other), 36, '与该用户还不是好友')
      expectAnswer(t, await read(viewer, other), 44, 'success')
    }
    expectAck(t, 'private_chat', await say(socketA, a, b, '不在'), 202)
    await befriend(client, b, a)
    const messageList = [
      { message: '从前', state: 1 },
      { message: '很久', state: 1 },
    ]
    expectAnswer(t, await page(a, b), 36, 'success', { data: { messageList } })
    await expectConversation(t, a, b, { message: '很久' }, 0)
    await expectConversation(t, b, a, { message: '很久' }, 0)
    await say(socketA, a, b, '又来')
    await expectConversation(t, a, b, { message: '又来' }, 0)
    await expectConversation(t, b, a, { message: '又来' }, 1)
  },
)

await t.test('a list that arrives after a read reflects it', async (t) => {
  const { a, b, socketA } = await friendsOnline(t, client)
  const { hostname, port, host } = new URL(client.http)
  const connection = connect(Number(port), hostname)
  t.teardown(() => connection.destroy())
  connection.setEncoding('utf8')
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  const pair = [`/message/read/friend?userId=${b.id}&id=${a.id}`, `/message/list?userId=${b.id}`]
  const stale: string[] = []
  for (let round = 0; round < 50; round += 1) {
    await say(socketA, a, b, `第${round}条`)
    // In one packet on one connection: so the list arrives second, before the read has ended.
    connection.write(pair.map(request).join(''))
    let text = ''
    while (!text.includes('unreadMsgCount')) text += String(await once(connection, 'data'))
    if (!text.includes('"unreadMsgCount":0}')) stale.push(text)
  }
  t.same(stale, [])
})

/** Asserts that sums and numbers are what the messages themselves say. */
async function expectSums(t: Test, client: Client): Promise<void> {
  const url = server.databaseUrl
  if (url === undefined) throw new Error('needs the database of the server')
  await assertUnreadCounts(url)
  const { rows } = await execute(
    url,
    'select p.* from unread_proof p join conversations c on c.id = conversation_id and last_seq > 0',
  )
  const sums = rows as { user_id: string; friend_id: string; recounted: string }[]
  t.not(sums.length, 0)
  const shown = await Promise.all(
    sums.map(async ({ user_id, friend_id, recounted }) => {
      const { body } = await client.get('/message/list', { userId: user_id })
      const entry = (at(body, 'data') as Json[]).find((one) => at(one, '_id') === friend_id)
      return at(entry, 'unreadMsgCount') === Number(recounted)
    }),
  )
  t.notOk(shown.includes(false), 'and what the list shows')

  const { rows: holes } = await execute(
    url,
    `select c.id from conversations c left join messages m on m.conversation_id = c.id
    group by c.id having count(m.id) <> c.last_seq or coalesce(min(m.seq), 1) <> 1
      or coalesce(max(m.seq), 0) <> c.last_seq
      or coalesce(max(m.position), 0) <> c.last_position`,
  )
  t.same(holes, [], 'sequences have no holes')
}

await t.test('unread counts stay right while both send and read at once', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const deviceA = await online(t, client, a)
  const acks: Promise<Json>[] = []
  const reads: Promise<unknown>[] = []
  for (let round = 0; round < 120; round += 1) {
    acks.push(say(socketA, a, b, `甲${round}`), say(socketB, b, a, `乙${round}`))
    acks.push(say(deviceA, a, b, `丙${round}`))
    if (round % 3 === 0) reads.push(read(a, b), read(b, a))
    // So that reads fall between what is sent, not all before or behind it.
    if (round % 10 === 0) await Promise.race(reads.splice(0))
  }
  await Promise.all(reads)
  t.same(new Set((await Promise.all(acks)).map((ack) => at(ack, 'status'))), new Set([200]))
  await expectSums(t, client)
})

await t.test('unread counts stay right while friendships end and begin', async (t) => {
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const acks: Promise<Json>[] = []
  for (let round = 0; round < 40; round += 1) {
    for (let i = 0; i < 3; i += 1) {
      acks.push(say(socketA, a, b, `甲${round}`), say(socketB, b, a, `乙${round}`))
    }
    await Promise.all([
      client.get('/del/friend', { userId: a.id, friendId: b.id }),
      befriend(client, a, b),
      read(b, a),
    ])
  }
  await befriend(client, a, b)
  const statuses = (await Promise.all(acks)).map((ack) => at(ack, 'status'))
  t.same(
    statuses.filter((status) => status !== 200 && status !== 202),
    [],
  )
  t.ok(statuses.includes(200))
  await expectSums(t, client)
})
