import t from 'tap'
import type { Answer } from './client.ts'
import { expectAnswer } from './coverage.ts'
import { LONGEST, MALFORMED, NOBODY } from './inputs.ts'
import { befriend, register, type Person } from './people.ts'
import { serve } from './server.ts'
import { comment, feedOf, like, publish, reply } from './spaces.ts'

const server = await serve(t)
const client = server.client()
const [author, friend, stranger] = await Promise.all([
  register(client, '臭粑卡皮巴拉'),
  register(client, 'wifi歪f'),
  register(client, '路人'),
])
await befriend(client, author, friend)

await t.test('strangers, other spaces, unknown types and ids change nothing', async (t) => {
  const [one, two] = [await publish(client, author, '一'), await publish(client, author, '二')]
  const hers = await publish(client, stranger, '三')
  await client.post('/space/comment/add/0', comment(one, friend))
  const [first] = (await feedOf(client, author)).find(({ _id }) => _id === one)?.commentList ?? []
  const commentId = first?._id ?? ''
  await client.post('/space/comment/add/1', reply(one, author, commentId, friend))
  const before = await feedOf(client, author)
  const [[answered] = []] = before.find(({ _id }) => _id === one)?.replyList ?? []

  const likes = [
    like(one, stranger),
    like(hers, author),
    like(NOBODY, author),
    { spaceId: one, userId: NOBODY },
    { spaceId: one },
    { userId: author.id },
    ...MALFORMED.flatMap((id) => [
      { spaceId: id, userId: author.id },
      { spaceId: one, userId: id },
    ]),
  ]
  for (const sent of likes) expectAnswer(t, await client.post('/space/like', sent), 32, 'error')

  const good = comment(one, friend)
  const comments = [
    comment(one, stranger),
    comment(hers, author),
    comment(NOBODY, author),
    { ...good, userId: NOBODY, fromId: NOBODY, toId: NOBODY },
    { ...good, fromId: author.id },
    { ...good, toId: author.id },
    { ...good, toId: undefined },
    { ...good, fromId: undefined },
    { ...good, textarea: '' },
    { ...good, textarea: undefined },
    { ...good, textarea: `${LONGEST}a` },
    { ...good, textarea: 'a\0' },
    { ...good, textarea: ['a', 'b'] },
    ...MALFORMED.flatMap((id) => [
      { ...good, userId: id, fromId: id, toId: id },
      { ...good, spaceId: id },
    ]),
  ]
  for (const sent of comments) {
    expectAnswer(t, await client.post('/space/comment/add/0', sent), 33, 'error')
  }

  const goodReply = reply(one, friend, commentId, author)
  const replies = [
    { ...goodReply, spaceId: two },
    { ...goodReply, spaceCommentId: undefined },
    { ...goodReply, spaceCommentId: NOBODY },
    { ...goodReply, spaceCommentId: answered?._id ?? '' },
    { ...goodReply, toId: NOBODY },
    { ...goodReply, fromId: author.id },
    { ...goodReply, userId: stranger.id, fromId: stranger.id },
    ...MALFORMED.flatMap((id) => [
      { ...goodReply, spaceCommentId: id },
      { ...goodReply, toId: id },
    ]),
  ]
  for (const sent of replies) {
    expectAnswer(t, await client.post('/space/comment/add/1', sent), 33, 'error')
  }
  for (const type of ['2', '00', 'undefined', '-1', '%00']) {
    expectAnswer(t, await client.post(`/space/comment/add/${type}`, goodReply), 33, 'error')
    const gone = await client.get(`/space/comment/del/${type}`, { _id: commentId })
    expectAnswer(t, gone, 34, 'error')
  }
  for (const _id of MALFORMED) {
    expectAnswer(t, await client.get('/space/comment/del/0', { _id }), 34, 'error')
    expectAnswer(t, await client.get('/space/comment/del/1', { _id }), 34, 'error')
    expectAnswer(t, await client.get('/space/del', { _id }), 30, 'error')
    expectAnswer(t, await client.get('/space/del', { _id }), 35, 'error')
  }
  const otherKind = [
    await client.get('/space/comment/del/1', { _id: commentId }),
    await client.get('/space/comment/del/0', { _id: answered?._id }),
  ]
  for (const answer of otherKind) expectAnswer(t, answer, 34, 'error')

  t.same(await feedOf(client, author), before)
  const accepted = await client.post('/space/comment/add/1', goodReply)
  expectAnswer(t, accepted, 33, 'success')
})

await t.test('deleting takes along what hangs on it, and may happen twice', async (t) => {
  const spaceId = await publish(client, author, '要删的')
  await client.post('/space/like', like(spaceId, friend))
  for (const text of ['一', '二']) {
    await client.post('/space/comment/add/0', comment(spaceId, friend, text))
  }
  const [[one, two] = []] = (await feedOf(client, author)).map(({ commentList }) => commentList)
  for (const id of [one?._id, one?._id, two?._id]) {
    await client.post('/space/comment/add/1', reply(spaceId, author, id ?? '', friend))
  }
  const listed = async () => {
    const [space] = await feedOf(client, author)
    const replies = space?.replyList.map((list) => list.length)
    return [space?.commentList.map(({ textarea }) => textarea), replies]
  }
  t.same(await listed(), [
    ['一', '二'],
    [2, 1],
  ])

  const [[firstReply] = []] = (await feedOf(client, author))[0]?.replyList ?? []
  const fiveTimes = <Answer>(call: () => Promise<Answer>) =>
    Promise.all(Array.from({ length: 5 }, call))
  const deleted = (type: 0 | 1, _id = '') =>
    fiveTimes(() => client.get(`/space/comment/del/${type}`, { _id }))

  for (const answer of await deleted(1, firstReply?._id)) expectAnswer(t, answer, 34, 'success')
  t.same(await listed(), [
    ['一', '二'],
    [1, 1],
  ])
  for (const answer of await deleted(0, one?._id)) expectAnswer(t, answer, 34, 'success')
  t.same(await listed(), [['二'], [1]])
  for (const answer of await deleted(0, NOBODY)) expectAnswer(t, answer, 34, 'success')

  const spaces = await feedOf(client, author)
  const all = await fiveTimes(() => client.get('/space/del', { _id: spaceId }))
  for (const [index, answer] of all.entries()) {
    expectAnswer(t, answer, index === 0 ? 30 : 35, 'success')
  }
  expectAnswer(t, await client.get('/space/del', { _id: NOBODY }), 30, 'success')
  t.same(await feedOf(client, author), spaces.slice(1))
  const late = await client.post('/space/comment/add/0', comment(spaceId, author))
  expectAnswer(t, late, 33, 'error')
  expectAnswer(t, await client.post('/space/like', like(spaceId, author)), 32, 'error')
})

await t.test('64 taps at once end where they began, and 63 do not', async (t) => {
  const spaceId = await publish(client, author, '点赞')
  const likers = async () =>
    (await feedOf(client, author))[0]?.likeList.map(({ userId }) => userId._id)
  const tap = async (who: Person, times: number) => {
    const taps = Array.from({ length: times }, () => client.post('/space/like', like(spaceId, who)))
    for (const answer of await Promise.all(taps)) expectAnswer(t, answer, 32, 'success')
  }
  await tap(friend, 64)
  t.same(await likers(), [])
  await tap(friend, 63)
  t.same(await likers(), [friend.id])
  await tap(friend, 64)
  t.same(await likers(), [friend.id])
  await Promise.all([tap(author, 33), tap(friend, 31)])
  t.same(await likers(), [author.id])
})

await t.test('a token is held to its owner', async (t) => {
  const as = ({ token }: Person) => server.client({ token })
  const third = await register(client, '三')
  await befriend(client, author, third)
  const spaceId = await publish(client, author, '我的')
  const texts = ['他的评论', '他的评论二']
  for (const text of texts) {
    await as(friend).post('/space/comment/add/0', comment(spaceId, friend, text))
  }
  const [one, two] = (await feedOf(client, author))[0]?.commentList ?? []

  const foreign: [number, Answer][] = [
    [28, await as(third).post('/space/add', { userId: friend.id, textDesc: 'a' })],
    [29, await as(third).get('/space/get', { userId: friend.id })],
    [30, await as(friend).get('/space/del', { _id: spaceId })],
    [32, await as(third).post('/space/like', like(spaceId, friend))],
    [33, await as(third).post('/space/comment/add/0', comment(spaceId, friend))],
    [34, await as(third).get('/space/comment/del/0', { _id: one?._id })],
  ]
  for (const [number, answer] of foreign) expectAnswer(t, answer, number, '403')
  const left = async () =>
    (await feedOf(client, author))[0]?.commentList.map(({ textarea }) => textarea)
  t.same(await left(), texts)

  const own = await as(friend).get('/space/comment/del/0', { _id: one?._id })
  expectAnswer(t, own, 34, 'success')
  const moderated = await as(author).get('/space/comment/del/0', { _id: two?._id })
  expectAnswer(t, moderated, 34, 'success')
  t.same(await left(), [])
  const details = await as(third).get('/space/details', { userId: author.id })
  expectAnswer(t, details, 31, 'success')
  expectAnswer(t, await as(author).get('/space/del', { _id: spaceId }), 30, 'success')
})

await t.test('a token that is none opens nothing', async (t) => {
  const forged = server.client({ token: 'forged' })
  const spaceId = await publish(client, author, '令牌')
  const before = await feedOf(client, author)
  const answers: [number, Answer][] = [
    [28, await forged.post('/space/add', { userId: author.id, textDesc: 'a' })],
    [29, await forged.get('/space/get', { userId: author.id })],
    [30, await forged.get('/space/del', { _id: spaceId })],
    [31, await forged.get('/space/details', { userId: author.id })],
    [32, await forged.post('/space/like', like(spaceId, author))],
    [33, await forged.post('/space/comment/add/0', comment(spaceId, author))],
    [34, await forged.get('/space/comment/del/0', { _id: NOBODY })],
    [45, await forged.post('/notes/add', { userId: author.id, text: 'a' })],
    [46, await forged.get('/notes/get')],
    [47, await forged.get('/notes/del', { _id: NOBODY })],
  ]
  for (const [number, answer] of answers) expectAnswer(t, answer, number, '401')
  t.same(await feedOf(client, author), before)
})

await t.test('what hangs on a space may come while it goes', async (t) => {
  const spaceId = await publish(client, author, '热闹')
  for (const text of ['一', '二', '三', '四']) {
    await client.post('/space/comment/add/0', comment(spaceId, friend, text))
  }
  const [space] = await feedOf(client, author)
  const ids = space?.commentList.map(({ _id }) => _id) ?? []
  const deleteSpace = async () => {
    expectAnswer(t, await client.get('/space/del', { _id: spaceId }), 30, 'success')
  }
  const crowd = ids.flatMap((_id) => [
    () => client.post('/space/comment/add/1', reply(spaceId, author, _id, friend)),
    () => client.post('/space/like', like(spaceId, friend)),
    async () => {
      expectAnswer(t, await client.get('/space/comment/del/0', { _id }), 34, 'success')
    },
    () => client.post('/space/comment/add/1', reply(spaceId, friend, _id, author)),
  ])
  await Promise.all([...crowd, deleteSpace, ...crowd].map((act) => act()))
  const feed = await feedOf(client, author)
  t.notOk(feed.some(({ _id }) => _id === spaceId))
})
