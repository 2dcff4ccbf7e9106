/** The rows of a world as COPY reads them. */
import { idOf, type Planned, type World } from './world.ts'

const FIRST_NAMES = Array.from('王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高')
const GIVEN_NAMES = Array.from('伟芳娜敏静丽强磊军洋勇艳杰涛明超秀英华文晓红玉兰春梅建国平海')
const WORDS = '今天 天气 不错 我们 一起 去 吃饭 吧 好的 哈哈 明天 再说 收到 谢谢 工作 会议'.split(
  ' ',
)

/** A nick that 150 people have, and nobody else a character of. */
export const KNOWN_NAME = '司马懿'

/** A name that 10 groups have, and nobody else a character of. */
export const KNOWN_GROUP = '桃园结义'
const GROUPS_KNOWN = 10

const line = (...fields: (string | number)[]) => fields.join('\t')
const pick = <T>(list: readonly T[], random: () => number) =>
  list[Math.floor(random() * list.length)] as T

export function* people(users: number, random: () => number) {
  for (let n = 0; n < users; n += 1) {
    const name = pick(FIRST_NAMES, random) + pick(GIVEN_NAMES, random) + pick(GIVEN_NAMES, random)
    // As many people of this name in every world, so that a search for it finds as many.
    const nick = n % Math.floor(users / 150) === 7 ? KNOWN_NAME : name
    const phone = `13${String(n).padStart(9, '0')}`
    yield line(idOf('user', n), phone, '!', nick, `${1970 + (n % 50)}-01-01`)
  }
}

export function* conversationRows(plan: readonly Planned[]) {
  for (const { id, pair, group, messages: lastSeq, lastPosition } of plan) {
    const [low, high] = pair?.map((user) => idOf('user', user)) ?? ['\\N', '\\N']
    const groupId = group === undefined ? '\\N' : idOf('group', group)
    const kind = pair ? 'private' : 'group'
    yield line(id, kind, low ?? '', high ?? '', groupId, lastSeq, lastPosition)
  }
}

/** In each conversation its members speak in turn. */
function sentBy(index: number, members: number, messages: number): number {
  return Math.floor((messages + members - 1 - index) / members)
}

export function* friendshipRows(plan: readonly Planned[]) {
  for (const { id, pair, messages } of plan) {
    if (pair === undefined) continue
    for (const side of [0, 1] as const) {
      const sent = sentBy(side, 2, messages)
      const readSeq = Math.max(0, messages - 6)
      const sentWhenRead = sentBy(side, 2, readSeq)
      yield line(
        idOf('friendship', id * 2 + side),
        idOf('user', pair[side]),
        idOf('user', pair[side === 0 ? 1 : 0]),
        'accepted',
        id,
        readSeq,
        sent,
        sentWhenRead,
      )
    }
  }
}

export function* groupRows(plan: readonly Planned[], random: () => number) {
  for (const { group, members } of plan) {
    if (group === undefined || members === undefined) continue
    const name = pick(WORDS, random) + pick(WORDS, random) + '群'
    const isKnown = group < GROUPS_KNOWN
    yield line(
      idOf('group', group),
      idOf('user', members[0] ?? 0),
      isKnown ? KNOWN_GROUP : name,
      1_700_000_000_000 + group,
      '群',
    )
  }
}

export function* memberRows(plan: readonly Planned[]) {
  let number = 0
  for (const { group, members, messages } of plan) {
    if (group === undefined || members === undefined) continue
    for (const [index, user] of members.entries()) {
      number += 1
      const sent = sentBy(index, members.length, messages)
      yield line(
        idOf('member', number),
        idOf('group', group),
        idOf('user', user),
        'member',
        '2023-11-16T00:00:00Z',
        messages,
        sent,
        sent,
      )
    }
  }
}

/** Conversations take turns, so that the messages of each lie scattered as they do in life. */
export function* messageRows(plan: readonly Planned[], world: World, random: () => number) {
  const open = plan.filter(({ messages }) => messages > 0).map((of) => ({ of, seq: 0 }))
  const start = Date.parse('2023-01-01T00:00:00Z')
  const step = Math.max(1, Math.floor((3 * 365 * 86_400_000) / world.messages))
  let position = 0
  while (open.length > 0) {
    const index = Math.floor(random() * open.length)
    const talk = open[index] as (typeof open)[number]
    const members = talk.of.pair ?? talk.of.members ?? []
    for (let burst = 1 + Math.floor(random() * 8); burst > 0; burst -= 1) {
      position += 1
      const sender = members[talk.seq % members.length] ?? 0
      talk.seq += 1
      talk.of.lastPosition = position
      const body = pick(WORDS, random) + pick(WORDS, random) + pick(WORDS, random)
      const time = new Date(start + position * step).toISOString()
      yield line(
        idOf('message', position),
        talk.of.id,
        talk.seq,
        position,
        idOf('user', sender),
        'text',
        body,
        time,
      )
      if (talk.seq === talk.of.messages) {
        open[index] = open.at(-1) as (typeof open)[number]
        open.pop()
        break
      }
    }
  }
}

export function* spaceRows({ spaces, users }: World, random: () => number) {
  for (let n = 0; n < spaces; n += 1) {
    const time = new Date(Date.parse('2023-01-01T00:00:00Z') + n * 1000).toISOString()
    yield line(idOf('space', n), idOf('user', n % users), pick(WORDS, random), time)
  }
}

export function* commentRows({ spaces, users }: World, random: () => number) {
  for (let n = 0; n < spaces * 5; n += 1) {
    const author = idOf('user', Math.floor(random() * users))
    const time = new Date(Date.parse('2024-01-01T00:00:00Z') + n * 1000).toISOString()
    yield line(
      idOf('comment', n),
      idOf('space', n % spaces),
      author,
      author,
      pick(WORDS, random),
      time,
    )
  }
}
