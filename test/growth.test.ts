import t from 'tap'
import { growing, measureDepth, measureGrowth } from '../bench/growth.ts'
import { load } from '../bench/lib/load.ts'
import { openExplaining } from '../bench/lib/explain.ts'
import { idOf, LONG, worldOf } from '../bench/lib/world.ts'
import { pino } from 'pino'
import { missedMessages } from '../src/messages/live.ts'
import { openDatabase, type Queryable, statement } from '../src/database/connection.ts'
import { friendships } from '../src/database/schema.ts'
import { createTestDatabase } from './helpers/databases.ts'

/** `npm run bench` does the same up to ten million messages. */
const SMALL = worldOf(4_000, 3_000, 3_000)
const LARGE = { ...worldOf(160_000, 3_000, 3_000), longest: 100_000 }
const LAST_PAGE = LARGE.longest / 20

const database = async (world: typeof SMALL) => {
  const created = await createTestDatabase()
  t.teardown(() => created.drop())
  await load(created.url, world, () => undefined)
  return created.url
}

await t.test('what a request touches does not grow with the history', async (t) => {
  const [small, large] = [await database(SMALL), await database(LARGE)]
  const [before, after] = [await measureGrowth(small), await measureGrowth(large)]
  for (const { name, most } of growing) {
    const [was, is] = [before.get(name), after.get(name)]
    t.equal(is?.statements, 1, `${name}: one statement`)
    t.ok(Number(is?.pages) <= 1.3 * Number(was?.pages), `${name}: no more pages`, { was, is })
    t.ok(Number(is?.pages) <= most, `${name}: ${is?.pages ?? NaN} pages of ${most}`)
  }
  const pages = (name: string) => Number(after.get(name)?.pages)
  t.ok(pages('page 50') <= 1.3 * pages('newest page'), 'an old page is as cheap as the newest')
  const { newest, deep } = await measureDepth(large, LAST_PAGE)
  // Twenty rows may lie on one page more, in the table and in the index.
  t.ok(deep <= newest + 2, `page ${LAST_PAGE} is as cheap as the newest`, { newest, deep })
  t.ok(
    pages('send to the largest group') <= 1.3 * pages('send to 200 members'),
    'a group of thousands is as cheap to send to as one of 200',
  )
})

await t.test('coming back costs what it brings', async (t) => {
  const pagesOf = async (world: typeof SMALL) => {
    const explaining = await openExplaining(await database(world))
    t.teardown(() => explaining.close())
    return async ([who, after, limit]: readonly [number, number, number]) => {
      const work = (db: Queryable) => missedMessages(db, idOf('user', who), after, limit, 2e6)
      return (await explaining.buffers(work)).pages
    }
  }
  const small = await pagesOf(SMALL)
  const longer = await pagesOf(LARGE)
  const wider = await pagesOf(worldOf(4_000, 12_000, 12_000))
  const cases = [
    ['as many messages as are sent at most', [LONG.user, 0, 20]],
    ['nothing, in many conversations', [LONG.user, 1e15, 500]],
    ['nothing, in a few', [2_000, 1e15, 500]],
  ] as const
  for (const [what, coming] of cases) {
    const most = 1.3 * (await small(coming))
    t.ok((await longer(coming)) <= most, `${what}: however much was said`)
    t.ok((await wider(coming)) <= most, `${what}: however many people there are`)
  }
})

const written = statement<[rows: number]>(
  'rows_written',
  `select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int4 from pg_stat_xact_user_tables`,
)

await t.test('what a request writes depends on what it does alone', async (t) => {
  const db = openDatabase(await database(LARGE), 1, pino({ level: 'silent' }))
  t.teardown(() => db.close())
  const rowsWritten = (name: string) =>
    db.transaction(async (tx) => {
      // What earlier transactions wrote may not have been reported yet.
      const [before] = await tx.run(written)
      await growing.find((one) => one.name === name)?.work(tx)
      const [after] = await tx.run(written)
      return Number(after?.[0]) - Number(before?.[0])
    })
  await db.orm.update(friendships).set({ readSeq: 0, sentWhenRead: 0 })
  t.equal(await rowsWritten('mark read'), 1, '100,000 messages read: one row')
  t.equal(await rowsWritten('mark read'), 0, 'nothing to read: no row')
  t.equal(await rowsWritten('send to 200 members'), 3, 'message, conversation and sender')
  t.equal(await rowsWritten('send to the largest group'), 3, 'the same for thousands')
})
