import t from 'tap'
import { expectAnswer } from './coverage.ts'
import { freePhone, register } from './people.ts'
import { serve } from './server.ts'

const server = await serve(t)
const client = server.client()

const nicks = [
  '红',
  '小红',
  '小红花',
  'Ann',
  'hannah',
  '100%',
  'a_b',
  'a\\b',
  'ÄRGER',
  '😀x',
  "o'x",
]
const people = new Map<string, string>()
for (const nick of nicks) people.set(nick, (await register(client, nick)).id)

await t.test('7 finds people by any part of their nick, exact ones first', async (t) => {
  const finds = async (keyword: string, ...expected: string[]) => {
    const answer = await client.get('/search', { keyword })
    const friendList = expected.map((nick) => ({ _id: people.get(nick), nick }))
    expectAnswer(t, answer, 7, 'success', { data: { friendList, groupList: [] } })
  }
  await finds('红', '红', '小红', '小红花')
  await finds('小红', '小红', '小红花')
  await finds('红花', '小红花')
  await finds('小红花', '小红花')
  await finds('ann', 'Ann', 'hannah')
  await finds('HANNA', 'hannah')
  await finds('ärg', 'ÄRGER')
  await finds('😀', '😀x')
  await finds('%', '100%')
  await finds('0%', '100%')
  await finds('_', 'a_b')
  await finds('\\', 'a\\b')
  await finds("'", "o'x")
})

await t.test('7 finds the owner of a phone number or WaiFCode', async (t) => {
  const phone = freePhone()
  const person = await register(client, '电话', phone)
  const expected = { data: { friendList: [{ _id: person.id, nick: '电话' }], groupList: [] } }
  expectAnswer(t, await client.get('/search', { keyword: phone }), 7, 'success', expected)
  const code = await client.get('/search', { keyword: `WaiFCode_${phone}` })
  expectAnswer(t, code, 7, 'success', expected)
  const others = [phone.slice(0, 10), phone.slice(1), `${phone}0`, ` ${phone}`]
  for (const keyword of [...others, `WaiFCode_${phone}0`, `waifcode_${phone}`, 'WaiFCode_'])
    expectAnswer(t, await client.get('/search', { keyword }), 7, '暂无数据')
})

await t.test('7 answers what finds nothing, and what is no keyword', async (t) => {
  expectAnswer(t, await client.get('/search', { keyword: '' }), 7, '关键字空')
  expectAnswer(t, await client.get('/search'), 7, '关键字空')
  for (const keyword of [
    '红红',
    '%%',
    '__',
    '.*',
    'x'.repeat(64),
    'x'.repeat(65),
    '😀'.repeat(300),
  ])
    expectAnswer(t, await client.get('/search', { keyword }), 7, '暂无数据')
  expectAnswer(t, await client.get('/search', { keyword: 'a\0' }), 7, '服务器错误')
  expectAnswer(t, await client.request('/search?keyword=a&keyword=b'), 7, '服务器错误')
})
