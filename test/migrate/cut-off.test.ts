/** An import is killed again and again, or loses its connection, and is taken up again. */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { ObjectId } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { SEED } from '../helpers/random.ts'
import {
  type Collections,
  content,
  type Ended,
  friend,
  letter,
  oid,
  person,
  runCommand,
  Target,
  unsound,
  writeDump,
} from './support.ts'

const CUTS = 3

const people = Array.from({ length: 200 }, (_, n) => person(n + 1))
const ids = people.map(({ _id }) => _id as ObjectId)
const at = (n: number) => ids[n % ids.length] as ObjectId
const many = <One>(length: number, one: (n: number) => One) =>
  Array.from({ length }, (_, n) => one(n))
const time = new Date(1.7e12)
// In the order in which they are imported, some of them refused; messages take two transactions.
const dump: Collections = {
  users: [...people, { ...person(201), phone: '1' }],
  groups: ids.map((userId, n) => ({
    ...{ _id: oid(200_000 + n), userId, groupName: '群', groupNumber: n >> 1, imgUrl: '/g.png' },
  })),
  private_chats: many(9_600, (n) => letter(10_000 + n, at(n), at(n + 1), Number(n % 7 > 0))),
  group_chats: many(600, (n) => ({
    ...{ _id: oid(30_000 + n), groupId: oid(200_000 + (n % 201)), userId: at(n) },
    ...{ message: '大家好', msgType: 0, time: new Date(1.7e12 + n * 1000) },
  })),
  friends: ids.flatMap((id, n) => [
    friend(1000 + 2 * n, id, at(n + 1)),
    ...(n % 3 === 0 ? [] : [friend(1001 + 2 * n, at(n + 1), id)]),
  ]),
  group_users: many(200, (n) => ({
    ...{ _id: oid(210_000 + n), groupId: oid(200_000 + n), userId: at(n + (n % 2)), state: 1 },
  })),
  spaces: many(400, (n) => ({
    _id: oid(50_000 + n),
    userId: at(n),
    textDesc: '字',
    photos: [],
    time,
  })),
  // Before the half of them that are comments come the replies to those.
  space_comments: many(800, (n) => ({
    ...{
      _id: oid(60_000 + n),
      spaceId: oid(50_000 + (n % 400)),
      userId: at(n),
      textarea: '评',
      time,
    },
    ...{ fromId: at(n), toId: at(n), type: 0 },
    ...(n < 400 ? { type: 1, spaceCommentId: oid(60_400 + n) } : {}),
  })),
  space_likes: many(600, (n) => ({
    ...{ _id: oid(70_000 + n), spaceId: oid(50_000 + (n % 450)), userId: at(n >> 1) },
  })),
  notes: many(400, (n) => ({
    _id: oid(100_000 + n),
    userId: at(n),
    text: '记',
    color: '#fff5a8',
  })),
  sessions: many(200, (n) => ({ _id: oid(120_000 + n) })),
}

/** A digest of every table, without what numbers itself. */
async function tablesOf(target: Target): Promise<Record<string, string>> {
  const imported = await target.rows(`select collection, id, digest, read, mended, remainder
    from imported_documents order by 1, 2`)
  const tables = { ...(await content(target)), imported }
  const own = (key: string, value: unknown) => (key.endsWith('position') ? undefined : value)
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [
      name,
      createHash('md5').update(JSON.stringify(rows, own)).digest('hex'),
    ]),
  )
}

async function known(target: Target): Promise<number> {
  const [row] = await target.rows(`select (select count(*) from imported_documents)::int
    + (select count(*) from quarantine)::int as number`)
  return Number(row?.['number'])
}

const BACKENDS =
  "from pg_stat_activity where application_name = 'waifchat migrate' and datname = current_database()"

/** Ends an import, in its way, once it knows more than so many documents and a moment has passed. */
async function cutOff(
  target: Target,
  folder: string,
  { point, moment, killed }: Cut,
): Promise<Ended> {
  let hasEnded = false
  let kill = () => {}
  const command = runCommand('import', target.url, [folder], {
    killed: new Promise<void>((resolve) => (kill = resolve)),
  }).finally(() => (hasEnded = true))
  while (!hasEnded && (await known(target)) <= point) await pause(30)
  await pause(moment)
  if (killed) kill()
  else await target.rows(`select pg_terminate_backend(pid) ${BACKENDS}`)
  const ended = await command
  while ((await target.rows(`select ${BACKENDS}`)).length > 0) await pause(10)
  return ended
}

/** Where an import is cut off, and whether it is killed itself or loses its connection. */
interface Cut {
  readonly point: number
  readonly moment: number
  readonly killed: boolean
}

/** Each in another collection, so that the small ones are cut as often as the large ones. */
function randomCuts(): Cut[] {
  const sizes = Object.values(dump).map(({ length }) => length)
  const cut = fc.record({
    stage: fc.nat(sizes.length - 1),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    moment: fc.nat(99),
  })
  const cuts = fc.sample(
    fc.uniqueArray(cut, { minLength: CUTS, maxLength: CUTS, selector: ({ stage }) => stage }),
    { seed: SEED, numRuns: 1 },
  )
  return (cuts[0] ?? [])
    .sort((one, other) => one.stage - other.stage)
    .map(({ stage, part, moment }, n) => {
      const before = sizes.slice(0, stage).reduce((sum, size) => sum + size, 0)
      const point = before + Math.floor(part * ((sizes[stage] ?? 0) - 1))
      return { point, moment, killed: n % 2 === 0 }
    })
}

await t.test('what an import left is whole, and the next one ends it', async (t) => {
  const folder = await writeDump(t, dump)
  const whole = await Target.create(t)
  await whole.import(folder)
  const cut = await Target.create(t)
  const cuts = randomCuts()
  t.comment(`seed ${SEED}: ${JSON.stringify(cuts)}`)
  let interrupted = 0
  for (const one of cuts) {
    const { code, stderr } = await cutOff(cut, folder, one)
    if (code !== 0) interrupted += 1
    if (!one.killed && code !== 0) t.match(stderr, /^.*connection.*\.\n$/i)
    t.strictSame(await cut.rows(unsound), [])
    t.strictSame(await cut.rows('select * from health_problems'), [])
  }
  t.ok(interrupted > 0, `${interrupted} times`)
  await cut.import(folder)
  t.strictSame(await tablesOf(cut), await tablesOf(whole))
  t.strictSame(await cut.rows('select count(*)::int as runs from imports'), [{ runs: 1 }])
})
