import t from 'tap'
import type { Client } from './client.ts'
import { expectAnswer } from './coverage.ts'
import { LONGEST, MALFORMED, NOBODY } from './inputs.ts'
import { befriend, register, shown } from './people.ts'
import { serve } from './server.ts'
import { comment, expectFeed, feedOf, like, publish, reply } from './spaces.ts'

const server = await serve(t)
const client = server.client()
const [author, friend, stranger] = await Promise.all([
  register(client, '臭粑卡皮巴拉'),
  register(client, 'wifi歪f'),
  register(client, '路人'),
])
await befriend(client, author, friend)

await t.test('photos come as JSON text, as repeated keys, as one key, or not at all', async (t) => {
  const someone = await register(client, '摄影师')
  const userId = someone.id
  const [one, two] = ['/1694508782089-he.jpeg', '/1694508782092-黄鼠狼.jpg']
  const nine = Array.from({ length: 9 }, (_, index) => `/17017-${index}.png`)
  const forms: [sent: Parameters<Client['post']>[1], textDesc: string, photos: string[]][] = [
    [{ textDesc: '过去的回忆', photos: JSON.stringify([one, two]) }, '过去的回忆', [one, two]],
    [{ textDesc: '重复', photos: [one, two] }, '重复', [one, two]],
    [{ textDesc: '一张', photos: one }, '一张', [one]],
    [{ textDesc: '没有' }, '没有', []],
    [{ textDesc: '空', photos: '' }, '空', []],
    [{ textDesc: '空数组', photos: '[]' }, '空数组', []],
    [{ photos: [one] }, '', [one]],
    [{ textDesc: '', photos: JSON.stringify(nine) }, '', nine],
    [{ textDesc: LONGEST }, LONGEST, []],
    [{ textDesc: `<b>'"\\ \n&amp;` }, `<b>'"\\ \n&amp;`, []],
  ]
  for (const [sent] of forms) {
    expectAnswer(t, await client.post('/space/add', { userId, ...sent }), 28, 'success')
  }
  const json = await client.postJson('/space/add', { userId, textDesc: 'json', photos: [two] })
  expectAnswer(t, json, 28, 'success')

  const newestFirst = [...forms.map(([, ...said]) => said), ['json', [two]] as const].reverse()
  await expectFeed(
    t,
    client,
    someone,
    newestFirst.map(([textDesc, photos]) => ({ textDesc, photos })),
  )
})

await t.test('a space that nobody could have sent is refused', async (t) => {
  const someone = await register(client, '空空')
  const refused: [string, Parameters<Client['post']>[1]][] = [
    ['empty', {}],
    ['empty text and photos', { textDesc: '', photos: '[]' }],
    ['ten photos', { photos: JSON.stringify(Array.from({ length: 10 }, () => '/a.png')) }],
    ['photos that are not JSON', { textDesc: 'a', photos: '["/a.png"' }],
    ['photos that are no list', { textDesc: 'a', photos: '{"0":"/a.png"}' }],
    ['numbers for photos', { textDesc: 'a', photos: '[1]' }],
    ...['a.png', '/', '//a.png', '/a/b.png', '/..', '/.env', 'http://x/a.png', '/a?b', '/a\n'].map(
      (path): [string, { photos: string }] => [path, { photos: JSON.stringify([path]) }],
    ),
    ['a path too long', { photos: `/${'a'.repeat(256)}` }],
    ['a text too long', { textDesc: `${LONGEST}a` }],
    ['NUL', { textDesc: 'a\0b' }],
    ['two texts', { textDesc: ['a', 'b'] }],
  ]
  for (const [name, sent] of refused) {
    t.comment(name)
    const answer = await client.post('/space/add', { userId: someone.id, ...sent })
    expectAnswer(t, answer, 28, 'error')
  }
  const half = await client.postJson('/space/add', { userId: someone.id, textDesc: 'a\ud800' })
  expectAnswer(t, half, 28, 'error')
  for (const userId of [...MALFORMED, NOBODY]) {
    expectAnswer(t, await client.post('/space/add', { userId, textDesc: 'a' }), 28, 'error')
  }
  await expectFeed(t, client, someone, [])
})

await t.test('a feed nests likes, comments and replies as documented', async (t) => {
  const spaceId = await publish(client, author, '测试')
  expectAnswer(t, await client.post('/space/like', like(spaceId, friend)), 32, 'success')
  for (const [who, text] of [
    [author, 'lovefan'],
    [friend, '想你了'],
  ] as const) {
    const sent = { ...comment(spaceId, who, text), spaceCommentId: '' }
    expectAnswer(t, await client.post('/space/comment/add/0', sent), 33, 'success')
  }
  const [, second] = (await feedOf(client, author))[0]?.commentList ?? []
  const sent = reply(spaceId, author, second?._id ?? '', friend)
  expectAnswer(t, await client.post('/space/comment/add/1', sent), 33, 'success')

  const said = { spaceId, __v: 0 }
  const entry = (isLike: boolean) => ({
    _id: spaceId,
    userId: shown(author),
    textDesc: '测试',
    photos: [],
    isLike,
    likeList: [{ userId: { _id: friend.id, nick: friend.nick } }],
    commentList: [
      {
        ...said,
        userId: shown(author),
        type: 0,
        textarea: 'lovefan',
        fromId: author.id,
        toId: author.id,
      },
      {
        ...said,
        userId: shown(friend),
        type: 0,
        textarea: '想你了',
        fromId: friend.id,
        toId: friend.id,
      },
    ],
    replyList: [
      [],
      [
        {
          ...said,
          userId: shown(author),
          spaceCommentId: second?._id,
          type: 1,
          textarea: 'xxx',
          fromId: shown(author),
          toId: shown(friend),
        },
      ],
    ],
  })
  await expectFeed(t, client, author, [entry(false)])
  await expectFeed(t, client, friend, [entry(true)])
  await expectFeed(t, client, stranger, [])

  const details = await client.get('/space/details', { userId: author.id })
  expectAnswer(t, details, 31, 'success', {
    data: {
      spaces: [{ _id: spaceId, userId: shown(author), textDesc: '测试', photos: [] }],
      user: { ...shown(author), WaiFCode: `WaiFCode_${author.phone}` },
    },
  })
  const none = await client.get('/space/details', { userId: stranger.id })
  expectAnswer(t, none, 31, 'success', { data: { spaces: [], user: shown(stranger) } })
  for (const userId of [...MALFORMED, NOBODY]) {
    expectAnswer(t, await client.get('/space/get', { userId }), 29, 'error')
    expectAnswer(t, await client.get('/space/details', { userId }), 31, 'error')
  }
  expectAnswer(t, await client.get('/space/get'), 29, 'error')
  expectAnswer(t, await client.get('/space/details'), 31, 'error')
})

await t.test('pages hold twenty, and without a page all come', async (t) => {
  const [one, other] = [await register(client, '甲'), await register(client, '乙')]
  await befriend(client, one, other)
  const all: string[] = []
  for (let index = 0; index < 41; index += 1)
    all.unshift(await publish(client, [one, other][index % 2] ?? one, `第${index}条`))
  const ids = async (pageNum?: number) => (await feedOf(client, one, pageNum)).map(({ _id }) => _id)
  t.same(await ids(), all)
  t.same(await ids(1), all.slice(0, 20))
  t.same(await ids(2), all.slice(20, 40))
  t.same(await ids(3), all.slice(40))
  t.same(await ids(4), [])
  t.same(await ids(1_000_000), [])
  for (const pageNum of ['', '0', '-1', '1.5', 'x', '1e3']) {
    expectAnswer(t, await client.get('/space/get', { userId: one.id, pageNum }), 29, 'error')
  }
})
