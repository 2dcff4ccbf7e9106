import t from 'tap'
import pg from 'pg'
import { pino } from 'pino'
import { searchGroups, searchUsers } from '../../src/accounts/queries.ts'
import { openDatabase, type Queryable } from '../../src/database/connection.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'

const PEOPLE = 20_000
const GROUPS = 3_000
/** 100 results of three blocks each, and some; all suffixes together have thousands. */
const FEW_BUFFERS = 500

const brokenBy = 'groups that have a name and nothing else'
const database = await createTestDatabase('template', { brokenBy })
const db = openDatabase(database.url, 2, pino({ level: 'silent' }))
t.teardown(async () => {
  await db.close()
  await database.drop()
})

const id = (number: number) => number.toString(16).padStart(24, '0')
await execute(
  database.url,
  `insert into users (id, phone, password_hash, nick)
  select lpad(to_hex(i), 24, '0'), '139' || lpad(i::text, 8, '0'), 'x',
    '张' || chr(19968 + i % 5000) || 'Nk' || i
  from generate_series(1, ${PEOPLE}) i;
  insert into groups (id, owner_id, name, number, sign)
  select lpad(to_hex(i), 24, '0'), '${id(1)}', '群' || chr(19968 + i % 1000) || i,
    1700000000000 + i, ''
  from generate_series(1, ${GROUPS}) i;
  update users set nick = '张' where id in ('${id(19_221)}', '${id(19_222)}');
  update groups set name = '群' where id = '${id(2_001)}'`,
)
await execute(database.url, 'vacuum analyze')
const ids = (rows: readonly (readonly [string, ...unknown[]])[]) => rows.map(([one]) => one)

await t.test('at most 100 of each are found, exact ones first', async (t) => {
  const people = ids(await searchUsers(db, '张'))
  t.equal(people.length, 100)
  t.equal(new Set(people).size, 100)
  t.same(people.slice(0, 2), [id(19_221), id(19_222)])
  const groups = ids(await searchGroups(db, '群'))
  t.equal(groups.length, 100)
  t.equal(groups[0], id(2_001))
})

await t.test('one, two and more characters find what contains them', async (t) => {
  const found = async (keyword: string) => ids(await searchUsers(db, keyword)).sort()
  const every = (least: number, step: number) =>
    Array.from({ length: Math.floor((PEOPLE - least) / step) + 1 }, (_, i) => id(least + i * step))
  t.same(await found('丁'), every(1, 5_000))
  t.same(await found('丁n'), every(1, 5_000))
  t.same(await found('张丁NK1'), [id(1), id(10_001), id(15_001)])
  t.same(await found('nk19999'), [id(19_999)])
  t.same(await found('13900000077'), [id(77)])
  t.same(await found('WaiFCode_13900000077'), [id(77)])
  t.same(await found('没有'), [])
})

await t.test('groups are found by name and exact number until they are dissolved', async (t) => {
  const found = async (keyword: string) => ids(await searchGroups(db, keyword))
  const name = `${String.fromCodePoint(19_968 + 78)}78`
  t.same(await found('1700000000078'), [id(78)])
  t.same(await found(name), [id(78)])
  for (const keyword of ['170000000007', '01700000000078', '9'.repeat(20), '1700000000078.0'])
    t.same(await found(keyword), [], keyword)
  await execute(database.url, `update groups set dissolved_at = now() where id = '${id(78)}'`)
  for (const keyword of ['1700000000078', name]) t.same(await found(keyword), [], keyword)
})

await t.test('a changed nick is found by its new text only', async (t) => {
  await execute(database.url, `update users set nick = '李龙' where id = '${id(300)}'`)
  t.same(ids(await searchUsers(db, '龙')), [id(300)])
  t.same(ids(await searchUsers(db, 'nk300 ')), [])
  t.notOk(ids(await searchUsers(db, 'nk300')).includes(id(300)))
})

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: Plan[]
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]

await t.test('no keyword makes a search read a whole table or index', async (t) => {
  const texts: string[] = []
  const recorder = {
    run: (query: { text: string }) => Promise.resolve(texts.push(query.text)),
  } as unknown as Queryable
  await searchUsers(recorder, 'x')
  await searchGroups(recorder, 'x')
  const [people = '', groups = ''] = texts

  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('set plan_cache_mode = force_generic_plan')
  await client.query(`prepare people (text) as ${people}`)
  await client.query(`prepare groups (text, text) as ${groups}`)
  const keywords = [
    '张',
    'n',
    '群',
    'nk',
    '丁',
    '张丁',
    '13900000077',
    'WaiFCode_13900000077',
    '没有',
    '%',
  ]
  for (const keyword of keywords) {
    for (const call of [`people('${keyword}')`, `groups('${keyword}', null)`]) {
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `explain (analyze, buffers, format json) execute ${call}`,
      )
      const [{ Plan: plan }] = (rows[0] as (typeof rows)[0])['QUERY PLAN']
      const scanned = nodes(plan).filter((node) => node['Node Type'] === 'Seq Scan')
      t.same(scanned, [], call)
      const buffers = plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
      t.ok(buffers < FEW_BUFFERS, `${call} touches ${buffers} buffers`)
    }
  }
})
