import t from 'tap'
import type { Answer, Fields } from './client.ts'
import { expectAnswer } from './coverage.ts'
import { at, stringAt } from './json.ts'
import { LONGEST, MALFORMED, NOBODY } from './inputs.ts'
import { register, shown } from './people.ts'
import { serve } from './server.ts'

const server = await serve(t)
const client = server.client()
const [author, other] = await Promise.all([register(client, 'wifi歪f'), register(client, '路人')])
const userId = author.id

const add = (fields: Fields): Promise<Answer> => client.post('/notes/add', { userId, ...fields })

/** Adds a note; gives its id. */
async function note(fields: Fields): Promise<string> {
  return stringAt((await add(fields)).body, '_id')
}

const texts = async (pageNum?: number): Promise<unknown> => {
  const { body } = await client.get('/notes/get', { pageNum })
  return (at(body, 'data') as { text: string }[]).map(({ text }) => text)
}

await t.test('a note shows what its author sent, newest first, to everybody', async (t) => {
  const none = await client.get('/notes/get', { pageNum: 1 })
  expectAnswer(t, none, 46, 'success', { data: [] })

  const written = 'Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)'
  const sent = { text: '...', color: '#fbdc7c', time: written }
  const answer = await add(sent)
  expectAnswer(t, answer, 45, 'success')
  const bare = await note({ text: 'test', time: '2023-09-28' })
  const iso = await note({ text: 'iso', color: '', time: '2023-11-29T01:57:29.123Z' })

  const entry = { userId: shown(author), color: '#fff5a8', __v: 0 }
  expectAnswer(t, await client.get('/notes/get'), 46, 'success', {
    data: [
      { ...entry, _id: iso, text: 'iso', time: written },
      {
        ...entry,
        _id: bare,
        text: 'test',
        time: 'Thu Sep 28 2023 00:00:00 GMT+0800 (中国标准时间)',
      },
      { ...entry, ...sent, _id: stringAt(answer.body, '_id') },
    ],
  })
})

await t.test("a time that is none becomes the server's", async (t) => {
  const before = Date.now()
  for (const time of [undefined, '', 'soon', '2023-13-01', '0000-01-01', '9999-12-31T23:59Z']) {
    await note({ text: 'now', time })
    const { body } = await client.get('/notes/get')
    const shownAt = Date.parse(stringAt(body, 'data', 0, 'time'))
    t.ok(shownAt > before - 1_000 && shownAt <= Date.now(), String(time))
  }
})

await t.test('colours are those of CSS', async (t) => {
  for (const color of ['#FFF', '#fff5a8', '#fff5a8cc', 'tomato', 'rgba(255, 0, 0, .5)']) {
    await note({ text: color, color })
    const { body } = await client.get('/notes/get')
    t.equal(at(body, 'data', 0, 'color'), color)
  }
})

await t.test('a page holds twelve; past the last one there is nothing', async (t) => {
  const all: string[] = []
  for (let index = 0; index < 26; index += 1) {
    all.unshift(`第${index}张`)
    await note({ text: `第${index}张` })
  }
  t.same(await texts(), all.slice(0, 12))
  t.same(await texts(1), all.slice(0, 12))
  t.same(await texts(2), all.slice(12, 24))
  for (const pageNum of [100, 1_000_000]) {
    expectAnswer(t, await client.get('/notes/get', { pageNum }), 46, 'success', { data: [] })
  }
  for (const pageNum of ['', '0', '-1', '1.5', 'x', '1e3']) {
    expectAnswer(t, await client.get('/notes/get', { pageNum }), 46, 'error')
  }
  expectAnswer(t, await client.request('/notes/get?pageNum=1&pageNum=2'), 46, 'error')
})

await t.test('a note that nobody could have sent is refused', async (t) => {
  const before = await texts()
  const refused: Fields[] = [
    {},
    { text: '' },
    { text: `${LONGEST}a` },
    { text: 'a\0' },
    { text: ['a', 'b'] },
    { text: 'a', time: ['2023-09-28', '2023-09-29'] },
    ...['#ff', '#ggg', 'red;}', 'url(x)', '" onload="', 'rgb(red)', '#fff '].map((color) => ({
      text: 'a',
      color,
    })),
    ...[...MALFORMED, NOBODY].map((id) => ({ text: 'a', userId: id })),
  ]
  for (const fields of refused) expectAnswer(t, await add(fields), 45, 'error')
  t.same(await texts(), before)
  await note({ text: LONGEST })
  t.same(await texts(), [LONGEST, ...(before as string[]).slice(0, 11)])
})

await t.test('deleting may happen twice, and with a token only to its author', async (t) => {
  const kept = await texts()
  const _id = await note({ text: '要删的' })
  const as = (token: string) => server.client({ token })
  expectAnswer(t, await as(other.token).get('/notes/del', { _id }), 47, '403')
  const foreign = await as(other.token).post('/notes/add', { userId, text: 'a' })
  expectAnswer(t, foreign, 45, '403')
  t.same(await texts(), ['要删的', ...(kept as string[]).slice(0, 11)])

  const deletions = Array.from({ length: 5 }, () => as(author.token).get('/notes/del', { _id }))
  for (const answer of await Promise.all(deletions)) expectAnswer(t, answer, 47, 'success')
  t.same(await texts(), kept)
  const mine = await note({ text: '没有令牌' })
  expectAnswer(t, await client.get('/notes/del', { _id: mine }), 47, 'success')
  expectAnswer(t, await client.get('/notes/del', { _id: NOBODY }), 47, 'success')
  t.same(await texts(), kept)
  for (const malformed of MALFORMED) {
    expectAnswer(t, await client.get('/notes/del', { _id: malformed }), 47, 'error')
  }
})
