/** node --import tsx bench/knobs.ts: what each knob is worth, beside the way in which the server has it. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import pg from 'pg'
import { pino } from 'pino'
import { openDatabase } from '../src/database/connection.ts'
import { storeMessages } from '../src/messages/queries.ts'
import { newId } from '../src/wire/ids.ts'
import { floors } from './floors/statements.ts'
import { paths } from './http-paths.ts'
import { execute, startCluster } from './lib/cluster.ts'
import { compare, cpuRatios, type Side, speedRatios } from './lib/compare.ts'
import { type Listening, requestFor, startScript, startServer } from './lib/http.ts'
import { openSockets, talkFor } from './lib/sockets.ts'
import { median, spread, table } from './lib/table.ts'
import { idOf, LONG } from './lib/world.ts'

const MESSAGES = 200_000
const SLICES = 16
const SLICE = 300
/** In which a server, just started, compiles what every request runs; in milliseconds, as above. */
const WARMING = 4_000
const POOL_SIZES = [1, 2, 5, 20, 50]
const USUAL_POOL_SIZE = 10
const CONNECTIONS = 32
const BATCHES = [1, 10, 100]
const USUAL_BATCH = 500
const TALKING = 100

const rows: string[][] = []
const clients: pg.Client[] = []
const cluster = await startCluster()
try {
  const url = await cluster.create('knobs', MESSAGES)
  await compareQueries(url)
  await compareBatches(url)
  await comparePools(url)
  await compareCompression(url)
} finally {
  await Promise.all(clients.map((client) => client.end()))
  await cluster.stop()
}
console.log(`\n${table(['knob', 'CPU', '', 'a second'], rows)}`)
process.exit()

/** Adds a line: so many times the CPU and the speed of the way that the server has it. */
async function add(name: string, url: string, other: Side, usual: Side): Promise<void> {
  const costs = await compare(url, SLICES, other, usual)
  const [cpu, speed] = [cpuRatios(costs), speedRatios(costs)]
  rows.push([name, median(cpu).toFixed(2), `(${spread(cpu, 2)})`, median(speed).toFixed(2)])
  console.log(rows.at(-1)?.join('  '))
}

/** Does a piece of work again and again in this process. */
function repeating(work: () => Promise<unknown>, piecesEach = 1): Side {
  const slice = async () => {
    const start = performance.now()
    let times = 0
    for (; performance.now() - start < SLICE; times += 1) await work()
    return { pieces: times * piecesEach, wall: performance.now() - start, p99: NaN }
  }
  return { pid: process.pid, slice }
}

async function connect(url: string, mode: string): Promise<pg.Client> {
  const options = `-c plan_cache_mode=${mode}`
  const client = new pg.Client({ connectionString: url, options })
  await client.connect()
  clients.push(client)
  return client
}

async function compareQueries(url: string): Promise<void> {
  const [page] = floors
  if (page === undefined) return
  const values = [idOf('user', LONG.user), idOf('user', LONG.friend), 1]
  const asking = async (mode: string, text: string, config: object): Promise<Side> => {
    const client = await connect(url, mode)
    return repeating(() => client.query({ text, values, ...config } as pg.QueryConfig))
  }
  const [named, arrays] = [{ name: 'page' }, { rowMode: 'array' }]
  const generic = 'force_generic_plan'
  const usual = await asking(generic, page.text, { ...named, ...arrays })
  for (const [name, other] of [
    [
      'a page: the planner chooses (plan_cache_mode=auto)',
      asking('auto', page.text, { ...named, ...arrays }),
    ],
    ['a page: prepared anew each time', asking(generic, page.text, arrays)],
    ['a page: rows as objects', asking(generic, page.text, named)],
  ] as const) {
    await add(name, url, await other, usual)
  }
  await addCompressed(url, page.text, values)
}

/** A page with and without the work of compressing its answer. */
async function addCompressed(url: string, text: string, values: unknown[]): Promise<void> {
  const client = await connect(url, 'force_generic_plan')
  const ask = () => client.query({ name: 'page', text, values, rowMode: 'array' })
  const compress = promisify(gzip)
  const compressing = repeating(async () => compress(JSON.stringify((await ask()).rows)))
  const plainly = repeating(async () => JSON.stringify((await ask()).rows))
  await add('a page: compressed by gzip', url, compressing, plainly)
}

async function compareBatches(url: string): Promise<void> {
  const db = openDatabase(url, 1, pino({ level: 'silent' }))
  const { rows: pairs } = await execute(
    url,
    `select low_user_id as low, high_user_id as high from conversations
    where kind = 'private' order by id limit ${TALKING}`,
  )
  const storing = (size: number) =>
    repeating(() => {
      const batch = Array.from({ length: size }, (_, index) => {
        const { low, high } = pairs[index % pairs.length] as { low: string; high: string }
        return {
          id: newId(),
          conversation: 'private' as const,
          senderId: low,
          targetId: high,
          kind: 'text' as const,
          body: '今天天气不错',
          sentAt: new Date(),
        }
      })
      return storeMessages(db, batch, false)
    }, size)
  for (const size of BATCHES) {
    await add(
      `stored ${size} at a time, not ${USUAL_BATCH}`,
      url,
      storing(size),
      storing(USUAL_BATCH),
    )
  }
  await db.close()
}

async function comparePools(url: string): Promise<void> {
  const [page] = paths
  if (page === undefined) return
  const side = ({ pid, http }: Listening): Side => ({
    pid,
    slice: () => requestFor(http, page.url, SLICE, page.expected, CONNECTIONS),
  })
  const start = async (size: number) => {
    const server = await startServer(url, { DATABASE_POOL_SIZE: String(size) })
    await requestFor(server.http, page.url, WARMING, page.expected, CONNECTIONS)
    return server
  }
  const usual = await start(USUAL_POOL_SIZE)
  for (const size of POOL_SIZES) {
    const other = await start(size)
    const name = `${CONNECTIONS} ask for pages: a pool of ${size}, not ${USUAL_POOL_SIZE}`
    await add(name, url, side(other), side(usual))
    await other.stop()
  }
  await usual.stop()
}

async function compareCompression(url: string): Promise<void> {
  const servers = await Promise.all(
    [['compressed'], []].map((args) => startScript('bench/floors/relay.ts', args)),
  )
  const [other, usual] = await Promise.all(
    servers.map(async ({ pid, http }): Promise<Side> => {
      const users = Array.from({ length: 2 * TALKING }, (_, n) => idOf('user', n))
      const sockets = await openSockets(http, users)
      const talks = sockets.slice(TALKING).flatMap((sender, n) => {
        const [from, to, receiver] = [users[TALKING + n], users[n], sockets[n]]
        return from && to && receiver ? [{ sender, from, to, receivers: [receiver] }] : []
      })
      return { pid, slice: () => talkFor('private_chat', talks, SLICE, { window: 4 }) }
    }),
  )
  if (other && usual) await add('a relay: frames compressed (perMessageDeflate)', url, other, usual)
  for (const server of servers) await server.stop()
}
