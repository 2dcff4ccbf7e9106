/**
 * npm run bench:migrate: what moving so many messages takes, in time and in memory, and the same with
 * large bodies, of which memory must not hold more when there are more.
 * `-- --messages 1000 --large 100` is a short run.
 */
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { BSON, ObjectId } from 'bson'
import { wireTimes } from '../src/wire/times.ts'
import { type BenchCluster, residentBytes, startCluster } from './lib/cluster.ts'
import { table } from './lib/table.ts'

const PEOPLE = 2_000
const GROUPS = 100
/** Documents that are written to the dump in one piece. */
const PIECE = 5_000
/** Milliseconds between two looks at the memory of a command. */
const SAMPLED_EVERY = 50
const START = 1_672_531_200
/** A picture within a message, in characters: the original has them as `data:` addresses. */
const LARGE_BODY = 500_000
const PIECE_BYTES = 8 * 1024 * 1024

const { values } = parseArgs({
  options: {
    messages: { type: 'string', multiple: true, default: ['100000', '1000000'] },
    large: { type: 'string', default: '2000' },
  },
})
const times = wireTimes('Asia/Shanghai')

/** The n-th id of a kind of document, made in a given second. */
function id(kind: number, number: number, second = START): ObjectId {
  const rest = kind.toString(16).padStart(4, '0') + number.toString(16).padStart(12, '0')
  return new ObjectId(second.toString(16) + rest)
}

const user = (number: number) => id(1, number % PEOPLE)

function* people() {
  for (let n = 0; n < PEOPLE; n += 1) {
    // A hash of the original is taken over as it is, so that hashing is not what is measured.
    const password = `$2b$10$${'a'.repeat(53)}`
    const [phone, nick] = [`138${String(n).padStart(8, '0')}`, `用户${n}`]
    yield { _id: user(n), phone, password, nick, imgUrl: '/user_pic1.jpeg', sex: '未知', __v: 0 }
  }
}

function* friends() {
  for (let n = 0; n < 2 * PEOPLE; n += 1) {
    const [a, b] = [n >> 1, (n >> 1) + 1]
    const [userId, friendId] = n % 2 === 0 ? [user(a), user(b)] : [user(b), user(a)]
    yield { _id: id(2, n), userId, friendId, time: new Date(START * 1000), state: 1, __v: 0 }
  }
}

function* groups() {
  for (let n = 0; n < GROUPS; n += 1) {
    const creatTime = '2023年1月1日'
    yield { _id: id(3, n), userId: user(n), groupName: `群${n}`, groupNumber: n + 1, creatTime }
  }
}

function* members() {
  for (let n = 0; n < GROUPS * 20; n += 1) {
    const [groupId, userId] = [id(3, n % GROUPS), user((n % GROUPS) + Math.floor(n / GROUPS))]
    yield { _id: id(4, n), groupId, userId, time: new Date(START * 1000), state: 1, __v: 0 }
  }
}

function* messages(count: number, inGroups: boolean, large: boolean) {
  const picture = large ? `data:image/png;base64,${'iVBORw0KGgo'.repeat(LARGE_BODY / 11)}` : ''
  for (let n = 0; n < count; n += 1) {
    const second = START + n * 10
    const text = { message: `第${n}条消息, 今天天气不错${picture}`, msgType: 0 }
    const time = times.long(new Date(second * 1000))
    const a = (n * 7919) % PEOPLE
    if (inGroups) {
      const groupId = id(3, n % GROUPS)
      const userId = user((n % GROUPS) + (n % 20))
      yield { _id: id(6, n, second), groupId, userId, ...text, time, __v: 0 }
    } else {
      const [userId, friendId] = n % 2 === 0 ? [user(a), user(a + 1)] : [user(a + 1), user(a)]
      yield { _id: id(5, n, second), userId, friendId, ...text, time, state: 1, __v: 0 }
    }
  }
}

function* pieces(documents: Iterable<object>) {
  let [piece, bytes]: [Uint8Array[], number] = [[], 0]
  for (const document of documents) {
    const one = BSON.serialize(document)
    piece.push(one)
    bytes += one.length
    if (piece.length < PIECE && bytes < PIECE_BYTES) continue
    yield Buffer.concat(piece)
    ;[piece, bytes] = [[], 0]
  }
  yield Buffer.concat(piece)
}

async function writeDump(folder: string, count: number, large: boolean): Promise<void> {
  const collections = {
    users: people(),
    friends: friends(),
    groups: groups(),
    group_users: members(),
    private_chats: messages(Math.ceil(count * 0.7), false, large),
    group_chats: messages(Math.floor(count * 0.3), true, large),
  }
  for (const [name, documents] of Object.entries(collections)) {
    await pipeline(
      Readable.from(pieces(documents)),
      createWriteStream(join(folder, `${name}.bson`)),
    )
  }
}

/** Runs a command; gives its seconds and the most memory that it had, in MiB. */
async function run(
  command: string,
  folder: string,
  databaseUrl: string,
): Promise<[seconds: string, megabytes: string]> {
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', 'tsx', `src/migrate/${command}.ts`, folder], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let most = 0
  const sampler = setInterval(() => {
    // It may have ended by the time the file is read.
    void residentBytes(child.pid ?? 0)
      .catch(() => 0)
      .then((bytes) => (most = Math.max(most, bytes)))
  }, SAMPLED_EVERY)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  clearInterval(sampler)
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}`)
  const seconds = (performance.now() - started) / 1000
  return [seconds.toFixed(0), (most / 2 ** 20).toFixed(0)]
}

async function measure(cluster: BenchCluster, count: number, large = false): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-dump-'))
  try {
    await writeDump(folder, count, large)
    const url = await cluster.create(`moved_${count}${large ? '_large' : ''}`, 0)
    const steps = [
      ['import', 'import', folder],
      ['import again', 'import', folder],
      ['verify', 'verify', folder],
      ['export', 'export', join(folder, 'export')],
    ] as const
    const rows = []
    const what = `${count.toLocaleString('en')}${large ? ' of 500 KB' : ''}`
    for (const [name, command, where] of steps) {
      rows.push([what, name, ...(await run(command, where, url))])
      console.error(rows.at(-1)?.join('  '))
    }
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const cluster = await startCluster()
try {
  const rows = []
  for (const count of values.messages) rows.push(...(await measure(cluster, Number(count))))
  if (Number(values.large) > 0) rows.push(...(await measure(cluster, Number(values.large), true)))
  console.log(table(['messages', 'command', 'seconds', 'most memory, MiB'], rows))
} finally {
  await cluster.stop()
}
