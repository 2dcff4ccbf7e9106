/** Chatting beside a bare relay, and what one more idle socket costs in memory. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execute, residentBytes } from './lib/cluster.ts'
import { compare, type Comparison, type Side } from './lib/compare.ts'
import { type Listening, startScript, startServer } from './lib/http.ts'
import { openSockets, type Talk, talkFor } from './lib/sockets.ts'
import { idOf } from './lib/world.ts'

const PAIRS = 200
const MEMBERS = 1_000
/** Sockets that are there before and while memory is measured. */
const WARM = 200
const IDLE = 2_000
const HEAP_REPORT = new URL('lib/heap-report.ts', import.meta.url).href
/** The largest group of the benchmark's world; of its members so many are online. */
const GROUP = idOf('group', 0)

interface Talkers {
  readonly pairs: readonly Talk[]
  readonly group: Talk
}

interface Chat {
  readonly name: string
  readonly target?: number
  readonly event: 'private_chat' | 'group_chat'
  readonly talks: (side: Talkers) => readonly Talk[]
  readonly pace: { readonly window?: number; readonly perSecond?: number }
}

/** Names of the two paths of which more is asked than a share of CPU. */
export const SATURATED = 'private_chat, 200 pairs, as fast as it goes'
export const STEADY = 'private_chat, 200 pairs, 1,000 a second'

const chats: readonly Chat[] = [
  {
    name: SATURATED,
    target: 2,
    event: 'private_chat',
    talks: ({ pairs }) => pairs,
    pace: { window: 8 },
  },
  {
    name: STEADY,
    event: 'private_chat',
    talks: ({ pairs }) => pairs,
    pace: { perSecond: 1_000 },
  },
  {
    name: 'group_chat, 1,000 members, a delivery',
    target: 1.15,
    event: 'group_chat',
    talks: ({ group }) => [group],
    pace: { window: 1 },
  },
]

/** Measures private chat at saturation and at a steady rate, and group chat. */
export async function measureChats(
  databaseUrl: string,
  slices: number,
  milliseconds: number,
): Promise<Comparison[]> {
  const ours = await startServer(databaseUrl)
  const floor = await startScript('bench/floors/relay.ts', [])
  try {
    const pairs = await pairsOf(databaseUrl)
    const members = await membersOf(databaseUrl)
    const sides = await Promise.all(
      [ours, floor].map(async (server) => ({
        server,
        pairs: await talkingPairs(server, pairs),
        group: await talkingGroup(server, members),
      })),
    )
    const results: Comparison[] = []
    for (const { name, target, event, talks, pace } of chats) {
      const [ourSide, floorSide] = sides.map((side) => ({
        pid: side.server.pid,
        slice: () => talkFor(event, talks(side), milliseconds, pace),
      })) as [Side, Side]
      const costs = await compare(databaseUrl, slices, ourSide, floorSide)
      results.push({ name, ...(target && { target }), ...costs })
    }
    return results
  } finally {
    await ours.stop()
    await floor.stop()
  }
}

/** Bytes of one more idle socket. */
export interface Idle {
  /** Of JavaScript's heap and what belongs to it, after its garbage was collected. */
  readonly held: number
  /** Of the process, in RAM; depends on when it last collected its garbage. */
  readonly resident: number
}

/** What one more identified, idle socket takes: of our server and of a bare one. */
export async function measureIdle(databaseUrl: string): Promise<{ ours: Idle; floor: Idle }> {
  const { rows } = await execute(
    databaseUrl,
    `select id from users order by id limit ${WARM + IDLE}`,
  )
  const users = (rows as { id: string }[]).map(({ id }) => id)
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-bench-heap-'))
  const file = join(folder, 'heap')
  const env = {
    NODE_OPTIONS: `--expose-gc --import=tsx --import=${HEAP_REPORT}`,
    HEAP_REPORT: file,
  }
  const bytesOf = async ({ pid }: Listening): Promise<Idle> => {
    await pause(2_000)
    await rm(file, { force: true })
    process.kill(pid, 'SIGUSR2')
    for (;;) {
      const held = Number(await readFile(file, 'utf8').catch(() => ''))
      if (held > 0) return { held, resident: await residentBytes(pid) }
      await pause(20)
    }
  }
  const of = async (server: Listening): Promise<Idle> => {
    try {
      const first = await openSockets(server.socket, users.slice(0, WARM))
      const before = await bytesOf(server)
      const rest = await openSockets(server.socket, users.slice(WARM))
      const after = await bytesOf(server)
      for (const socket of [...first, ...rest]) socket.close()
      return {
        held: (after.held - before.held) / IDLE,
        resident: (after.resident - before.resident) / IDLE,
      }
    } finally {
      await server.stop()
    }
  }
  try {
    return {
      ours: await of(await startServer(databaseUrl, env)),
      floor: await of(await startScript('bench/floors/relay.ts', [], env)),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function pairsOf(databaseUrl: string): Promise<[string, string][]> {
  // Nobody twice: a socket speaks for one user.
  const { rows } = await execute(
    databaseUrl,
    `select distinct on (low_user_id) low_user_id as low, high_user_id as high
    from conversations where kind = 'private' and low_user_id > '${idOf('user', 20_000)}'
      and high_user_id > '${idOf('user', 30_000)}' and low_user_id < '${idOf('user', 30_000)}'
    order by low_user_id limit ${PAIRS}`,
  )
  return (rows as { low: string; high: string }[]).map(({ low, high }) => [low, high])
}

async function membersOf(databaseUrl: string): Promise<string[]> {
  const { rows } = await execute(
    databaseUrl,
    `select user_id as id from group_members where group_id = '${GROUP}' order by id limit ${MEMBERS}`,
  )
  return (rows as { id: string }[]).map(({ id }) => id)
}

async function talkingPairs(
  server: Listening,
  pairs: readonly [string, string][],
): Promise<Talk[]> {
  const senders = await openSockets(
    server.socket,
    pairs.map(([low]) => low),
  )
  const receivers = await openSockets(
    server.socket,
    pairs.map(([, high]) => high),
  )
  return pairs.flatMap(([from, to], index) => {
    const [sender, receiver] = [senders[index], receivers[index]]
    return sender && receiver ? [{ sender, from, to, receivers: [receiver] }] : []
  })
}

async function talkingGroup(server: Listening, members: readonly string[]): Promise<Talk> {
  const relay = server.socket === server.http
  const [sender, ...receivers] = await openSockets(
    server.socket,
    members,
    relay ? GROUP : undefined,
  )
  const [from] = members
  if (sender === undefined || from === undefined) throw new Error('the group has no members')
  return { sender, from, to: GROUP, receivers }
}
