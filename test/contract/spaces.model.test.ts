import fc from 'fast-check'
import t from 'tap'
import type { Expectation } from './contract.ts'
import { expectAnswer } from './coverage.ts'
import type { Json } from './json.ts'
import { befriend, register, shown, type Person } from './people.ts'
import { SEED } from '../helpers/random.ts'
import { serve } from './server.ts'
import { comment, expectFeed, like, publish, reply } from './spaces.ts'

const STEPS = 200

/** Something with an id that only the server knows; the first feed that shows it tells. */
interface Thing {
  id?: string
}
interface Reply extends Thing {
  author: Person
  to: Person
  text: string
}
interface Comment extends Thing {
  author: Person
  text: string
  replies: Reply[]
}
interface Space extends Thing {
  author: Person
  text: string
  likes: (Thing & { by: Person })[]
  comments: Comment[]
}

const server = await serve(t)
const client = server.client()
const stranger = await register(client, '路人')
const friends = await Promise.all(['甲', '乙', '丙'].map((nick) => register(client, nick)))
for (const [index, one] of friends.entries()) {
  for (const other of friends.slice(index + 1)) await befriend(client, one, other)
}
const everybody = [...friends, stranger]
const takesPart = (who: Person, space: Space) =>
  who === space.author || (who !== stranger && space.author !== stranger)

/** Newest first. */
const spaces: Space[] = []

const idOf = (thing: Thing) => (id: Json) => {
  if (typeof id === 'string') thing.id ??= id
  return thing.id === id
}

function entry(viewer: Person, space: Space): Expectation {
  const said = { spaceId: space.id, __v: 0 }
  return {
    _id: idOf(space),
    userId: shown(space.author),
    textDesc: space.text,
    photos: [],
    isLike: space.likes.some(({ by }) => by === viewer),
    likeList: space.likes.map((one) => ({
      _id: idOf(one),
      userId: { _id: one.by.id, nick: one.by.nick },
    })),
    commentList: space.comments.map((one) => ({
      ...said,
      _id: idOf(one),
      userId: shown(one.author),
      type: 0,
      textarea: one.text,
      fromId: one.author.id,
      toId: one.author.id,
    })),
    replyList: space.comments.map(({ id, replies }) =>
      replies.map((one) => ({
        ...said,
        _id: idOf(one),
        userId: shown(one.author),
        spaceCommentId: id,
        type: 1,
        textarea: one.text,
        fromId: shown(one.author),
        toId: shown(one.to),
      })),
    ),
  }
}

/** What somebody does next; numbers choose among what there is at that moment. */
const step = fc.record({
  kind: fc.constantFrom(
    ...(['publish', 'publish', 'like', 'like', 'like', 'comment', 'comment', 'comment'] as const),
    ...(['reply', 'reply', 'reply', 'reply', 'reply', 'misplaced reply'] as const),
    ...(['delete reply', 'delete comment', 'delete space'] as const),
  ),
  who: fc.constantFrom(...everybody),
  to: fc.constantFrom(...everybody),
  place: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
  text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
})
const chosen = <Item>(items: readonly Item[], number: number): Item | undefined =>
  items[number % items.length]
const without = <Item>(items: Item[], item: Item) => items.splice(items.indexOf(item), 1)

await t.test(`a feed is what ${STEPS} steps of four people made of it`, async (t) => {
  for (const { kind, who, to, place, text } of fc.sample(step, { seed: SEED, numRuns: STEPS })) {
    const as = server.client({ token: who.token })
    const space = chosen(spaces, place[0])
    const said = chosen(space?.comments ?? [], place[1])
    const answered = chosen(said?.replies ?? [], place[2])
    const allowed = space !== undefined && takesPart(who, space)

    if (kind === 'publish' || space?.id === undefined) {
      const made: Space = { author: who, text, likes: [], comments: [] }
      spaces.unshift(made)
      made.id = await publish(as, who, text)
    } else if (kind === 'like') {
      const answer = await as.post('/space/like', like(space.id, who))
      expectAnswer(t, answer, 32, allowed ? 'success' : 'error')
      const mine = space.likes.find(({ by }) => by === who)
      if (mine !== undefined) without(space.likes, mine)
      else if (allowed) space.likes.push({ by: who })
    } else if (kind === 'comment') {
      const answer = await as.post('/space/comment/add/0', comment(space.id, who, text))
      expectAnswer(t, answer, 33, allowed ? 'success' : 'error')
      if (allowed) space.comments.push({ author: who, text, replies: [] })
    } else if (kind === 'delete space') {
      const answer = await as.get('/space/del', { _id: space.id })
      expectAnswer(t, answer, 30, who === space.author ? 'success' : '403')
      if (who === space.author) without(spaces, space)
    } else if (said?.id !== undefined) {
      const mayDelete = (author: Person) => who === author || who === space.author
      if (kind === 'reply') {
        const sent = reply(space.id, who, said.id, to, text)
        const answer = await as.post('/space/comment/add/1', sent)
        expectAnswer(t, answer, 33, allowed ? 'success' : 'error')
        if (allowed) said.replies.push({ author: who, to, text })
      } else if (kind === 'misplaced reply') {
        const other = spaces.find((one) => one !== space)
        const sent = reply(other?.id ?? '', who, said.id, to, text)
        expectAnswer(t, await as.post('/space/comment/add/1', sent), 33, 'error')
      } else if (kind === 'delete comment') {
        const answer = await as.get('/space/comment/del/0', { _id: said.id })
        expectAnswer(t, answer, 34, mayDelete(said.author) ? 'success' : '403')
        if (mayDelete(said.author)) without(space.comments, said)
      } else if (answered?.id !== undefined) {
        const answer = await as.get('/space/comment/del/1', { _id: answered.id })
        expectAnswer(t, answer, 34, mayDelete(answered.author) ? 'success' : '403')
        if (mayDelete(answered.author)) without(said.replies, answered)
      }
    }

    await Promise.all(
      everybody.map((viewer) => {
        const seen = spaces.filter((one) => takesPart(viewer, one))
        const entries = seen.map((one) => entry(viewer, one))
        return expectFeed(t, client, viewer, entries)
      }),
    )
  }
  const [likes, comments, replies] = [
    spaces.flatMap((space) => space.likes).length,
    spaces.flatMap((space) => space.comments).length,
    spaces.flatMap((space) => space.comments.flatMap((one) => one.replies)).length,
  ]
  t.comment(`${spaces.length} spaces, ${likes} likes, ${comments} comments, ${replies} replies`)
})
