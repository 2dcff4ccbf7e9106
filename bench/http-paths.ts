/** The list endpoints beside their floors: CPU per request, alternating rounds in one run. */
import { compare, type Comparison } from './lib/compare.ts'
import { type Listening, requestFor, startScript, startServer } from './lib/http.ts'
import { idOf, LISTED, LONG } from './lib/world.ts'

/** One measured path: what is asked for, and the most it may cost beside its floor. */
export interface Path {
  readonly name: string
  readonly target: number
  readonly url: () => string
  readonly expected: string
}

/** Milliseconds in which both servers, just started, compile what every request runs. */
const WARMING = 4_000

const user = idOf('user', LONG.user)
const group = idOf('group', 1)

/** Pages from all over the history: what a page costs must not depend on where it is. */
const page = () => 1 + Math.floor(Math.random() * 1000)

export const paths: readonly Path[] = [
  {
    name: '/message/friend, a page of 20',
    target: 1.25,
    url: () =>
      `/message/friend?userId=${user}&friendId=${idOf('user', LONG.friend)}&pageNum=${page()}`,
    expected: 'messageList',
  },
  {
    name: '/message/group, a page of 20',
    target: 1.25,
    url: () => `/message/group?userId=${user}&groupId=${group}&pageNum=1`,
    expected: 'messageList',
  },
  {
    name: '/message/list, 50 conversations',
    target: 1.3,
    url: () => `/message/list?userId=${idOf('user', LISTED.user)}`,
    expected: 'friendChat',
  },
  {
    name: '/contacts/friend, 100 friends',
    target: 1.3,
    url: () => `/contacts/friend?userId=${user}`,
    expected: 'friendId',
  },
  {
    name: '/home/group, 200 members',
    target: 1.3,
    url: () => `/home/group?groupId=${group}&userId=${user}`,
    expected: 'groupUser',
  },
  {
    name: '/space/get, 20 spaces with 100 comments',
    target: 1.3,
    url: () => `/space/get?userId=${user}&pageNum=1`,
    expected: 'commentList',
  },
]

/** Measures every path and its floor in turn. */
export async function measurePaths(
  databaseUrl: string,
  slices: number,
  milliseconds: number,
): Promise<Comparison[]> {
  const ours = await startServer(databaseUrl)
  const floor = await startScript('bench/floors/http.ts', [databaseUrl])
  try {
    const results = []
    for (const { http } of [ours, floor]) {
      for (const { url, expected } of paths) {
        await requestFor(http, url, WARMING / paths.length, expected)
      }
    }
    for (const { name, target, url, expected } of paths) {
      await expectSame(name, url(), ours, floor)
      const side = ({ pid, http }: Listening) => ({
        pid,
        slice: () => requestFor(http, url, milliseconds, expected),
      })
      const costs = await compare(databaseUrl, slices, side(ours), side(floor))
      results.push({ name, target, ...costs })
    }
    return results
  } finally {
    await ours.stop()
    await floor.stop()
  }
}

async function expectSame(name: string, url: string, ...servers: Listening[]): Promise<void> {
  const answers = await Promise.all(
    servers.map(async ({ http }) => (await fetch(http + url)).text()),
  )
  if (new Set(answers).size === 1) return
  throw new Error([`${name}: the floor answers differently`, ...answers].join('\n'))
}
