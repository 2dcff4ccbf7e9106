/** The list endpoints beside their floors: CPU per request, alternating rounds in one run. */
import { meter } from './lib/cpu.ts'
import { type Listening, requestFor, startScript } from './lib/http.ts'
import { median } from './lib/table.ts'
import { idOf, LONG } from './lib/world.ts'

/** One measured path: what is asked for, and the most it may cost beside its floor. */
export interface Path {
  readonly name: string
  readonly target: number
  readonly url: () => string
  readonly expected: string
}

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
    name: '/message/list',
    target: 1.3,
    url: () => `/message/list?userId=${user}`,
    expected: 'friendChat',
  },
  {
    name: '/contacts/friend, 100 friends',
    target: 1.3,
    url: () => `/contacts/friend?userId=${user}`,
    expected: 'friendId',
  },
]

/** What one side of a comparison cost. */
export interface Cost {
  /** CPU microseconds a request: of the server process, and of the database. */
  readonly server: number
  readonly database: number
  readonly perSecond: number
  readonly p99: number
}

/** Measures every path and its floor in turn. */
export async function measurePaths(
  databaseUrl: string,
  rounds: number,
  milliseconds: number,
): Promise<{ path: Path; ours: Cost[]; floor: Cost[] }[]> {
  const env = {
    DATABASE_URL: databaseUrl,
    PORT: '0',
    SOCKET_PORT: '0',
    LOG_LEVEL: 'error',
    TOKEN_SECRET: 'x'.repeat(32),
  }
  const ours = await startScript('src/main.ts', [], {
    ...env,
    DATA_DIR: '/tmp/waifchat-bench-data',
  })
  const floor = await startScript('bench/floors/http.ts', [databaseUrl])
  try {
    const results = []
    for (const path of paths) {
      const answers = await Promise.all(
        [ours, floor].map(async ({ http }) => (await fetch(http + path.url())).text()),
      )
      if (path.url() === path.url() && answers[0] !== answers[1]) {
        throw new Error(`${path.name}: the floor answers differently`)
      }
      const sides = { ours: [] as Cost[], floor: [] as Cost[] }
      await round(path, ours, databaseUrl, milliseconds / 2)
      await round(path, floor, databaseUrl, milliseconds / 2)
      for (let n = 0; n < rounds; n += 1) {
        sides.ours.push(await round(path, ours, databaseUrl, milliseconds))
        sides.floor.push(await round(path, floor, databaseUrl, milliseconds))
      }
      results.push({ path, ...sides })
    }
    return results
  } finally {
    await ours.stop()
    await floor.stop()
  }
}

async function round(
  { url, expected }: Path,
  { pid, http }: Listening,
  databaseUrl: string,
  milliseconds: number,
): Promise<Cost> {
  const stop = await meter(databaseUrl, pid)
  const { requests, wall, p99 } = await requestFor(http, url, milliseconds, expected)
  const cpu = await stop()
  return {
    server: cpu.server / requests,
    database: cpu.database / requests,
    perSecond: (requests * 1000) / wall,
    p99,
  }
}

/** Server and database together. */
export function cpuTotal(costs: readonly Cost[]): number {
  return median(costs.map(({ server, database }) => server + database))
}
