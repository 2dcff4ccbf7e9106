/** Chatting beside a bare relay, and what one more idle socket costs in memory. */
import { meter } from './lib/cpu.ts'
import { execute, residentBytes } from './lib/cluster.ts'
import { type Listening, startScript } from './lib/http.ts'
import { openSockets, type Talk, talkFor } from './lib/sockets.ts'
import type { Cost } from './http-paths.ts'
import { idOf } from './lib/world.ts'

/** One kind of chatting, measured. */
export interface Chat {
  readonly name: string
  readonly ours: Cost[]
  readonly floor: Cost[]
}

const PAIRS = 200
const MEMBERS = 1_000
const IDLE = 2_000
/** Group 2 of the benchmark's world is cut to this many members. */
const GROUP = idOf('group', 0)

/** Measures private chat at saturation and at a steady rate, and group chat. */
export async function measureChats(
  databaseUrl: string,
  rounds: number,
  milliseconds: number,
): Promise<Chat[]> {
  const ours = await startScript('src/main.ts', [], serverEnv(databaseUrl))
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
    const measure = async (
      name: string,
      event: 'private_chat' | 'group_chat',
      talks: (side: (typeof sides)[number]) => readonly Talk[],
      pace: { window?: number; perSecond?: number },
    ): Promise<Chat> => {
      const costs: [Cost[], Cost[]] = [[], []]
      for (let round = -1; round < rounds; round += 1) {
        for (const [index, side] of sides.entries()) {
          const stop = await meter(databaseUrl, side.server.pid)
          const result = await talkFor(event, talks(side), milliseconds, pace)
          const cpu = await stop()
          const of = event === 'private_chat' ? result.messages : result.deliveries
          // The first round warms both up.
          if (round >= 0) {
            costs[index as 0 | 1].push({
              server: cpu.server / of,
              database: cpu.database / of,
              perSecond: (of * 1000) / result.wall,
              p99: result.p99,
            })
          }
        }
      }
      return { name, ours: costs[0], floor: costs[1] }
    }
    return [
      await measure('private_chat, 200 pairs, as fast as it goes', 'private_chat', (s) => s.pairs, {
        window: 2,
      }),
      await measure('private_chat, 200 pairs, 1,000 a second', 'private_chat', (s) => s.pairs, {
        perSecond: 1_000,
      }),
      await measure('group_chat, 1,000 members, a delivery', 'group_chat', (s) => [s.group], {
        window: 1,
      }),
    ]
  } finally {
    await ours.stop()
    await floor.stop()
  }
}

/** Bytes of one more identified, idle socket: of our server and of a bare one. */
export async function measureIdle(databaseUrl: string): Promise<{ ours: number; floor: number }> {
  const { rows } = await execute(
    databaseUrl,
    `select id from users order by id limit ${IDLE + 200}`,
  )
  const users = (rows as { id: string }[]).map(({ id }) => id)
  const of = async (server: Listening) => {
    try {
      const first = await openSockets(server.socket, users.slice(0, 200))
      await settled()
      const before = await residentBytes(server.pid)
      const rest = await openSockets(server.socket, users.slice(200))
      await settled()
      const after = await residentBytes(server.pid)
      for (const socket of [...first, ...rest]) socket.close()
      return (after - before) / IDLE
    } finally {
      await server.stop()
    }
  }
  return {
    ours: await of(await startScript('src/main.ts', [], serverEnv(databaseUrl))),
    floor: await of(await startScript('bench/floors/relay.ts', [])),
  }
}

/** Settings of the server under measurement: everything as users get it, but free ports. */
export function serverEnv(databaseUrl: string): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: databaseUrl,
    PORT: '0',
    SOCKET_PORT: '0',
    LOG_LEVEL: 'error',
    TOKEN_SECRET: 'x'.repeat(32),
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 2_000))

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
