import t from 'tap'
import { readFile } from 'node:fs/promises'
import { currentPage } from '../../docs/diagram.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'

const page = await readFile(new URL('../../docs/database.md', import.meta.url), 'utf8')
const database = await createTestDatabase()
t.teardown(() => database.drop())
const names = async (query: string) =>
  ((await execute(database.url, query)).rows as { name: string }[]).map(({ name }) => name)

await t.test('the diagram is that of the schema', async (t) => {
  const { page, current } = await currentPage()
  t.equal(page, current, 'npm run docs:diagram draws it anew')
  for (const name of await names(
    `select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r'`,
  )) {
    t.match(page, `\n  ${name} {\n`)
  }
})

await t.test('every view, check, index and statement that it names exists', async (t) => {
  const known = new Set(
    await names(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace
      union select conname from pg_constraint where connamespace = 'public'::regnamespace
      union select tgname from pg_trigger
      union select proname from pg_proc where pronamespace = 'public'::regnamespace
      union select check_names[1] from regexp_matches(pg_get_viewdef('health_problems'),
        '''(\\w+)''::text AS check_name', 'g') check_names`,
    ),
  )
  const sources = await Promise.all(
    ['messages', 'friends', 'groups', 'spaces', 'notes', 'accounts', 'notices', 'files'].map(
      async (feature) => readFile(new URL(`../../src/${feature}/queries.ts`, import.meta.url)),
    ),
  )
  const more = [
    'messages/live.ts',
    'spaces/feed.ts',
    'realtime/sessions.ts',
    'groups/transitions.ts',
    'realtime/rooms.ts',
    'spaces/comments.ts',
  ]
  for (const file of more)
    sources.push(await readFile(new URL(`../../src/${file}`, import.meta.url)))
  for (const [, name] of sources.join('\n').matchAll(/'([a-z_]+)',\s/g)) known.add(name ?? '')
  const rows = page.match(/^\| .*`.*$/gm) ?? []
  const named = rows
    .flatMap((row) => row.match(/`[a-z]+_\w+`/g) ?? [])
    .map((one) => one.slice(1, -1))
  t.ok(named.length > 50)
  const columns = await names(
    `select distinct attname as name from pg_attribute join pg_class c on c.oid = attrelid
    where relnamespace = 'public'::regnamespace`,
  )
  const domains = ['object_id', 'check_name', ...columns]
  t.same(
    named.filter((name) => !known.has(name) && !domains.includes(name)),
    [],
  )
})

await t.test('every check, unique constraint and index is named', async (t) => {
  const section = (title: string) => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
  const rules = await names(
    `select conname as name from pg_constraint
    where connamespace = 'public'::regnamespace and contype in ('c', 'u')`,
  )
  t.ok(rules.length > 25)
  const enforced = section('Rules that the schema enforces')
  t.same(
    rules.filter((name) => !enforced.includes(`\`${name}\``)),
    [],
  )
  const indexes = await names(
    `select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'i'`,
  )
  t.ok(indexes.length > 40)
  const hot = section('Hot queries and their indexes')
  t.same(
    indexes.filter((name) => !hot.includes(`\`${name}\``)),
    [],
  )
})

await t.test('every view has an example that runs', async (t) => {
  const examples = [...page.matchAll(/```sql\n(.*?)```(?:\n\n```\n(.*?)\n)?/gs)]
    .map(([, sql = '', head]) => ({ sql, head }))
    .filter(({ sql }) => !/ALTER SYSTEM|VACUUM/.test(sql))
  for (const { sql, head } of examples) {
    const results = [await execute(database.url, sql)].flat()
    const shown = head?.split('|').map((name) => name.trim())
    const columns = results.at(-1)?.fields.map(({ name }) => name)
    if (shown !== undefined) t.same(columns, shown, sql)
  }
  const views = await names(
    `select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'v'`,
  )
  t.ok(views.length >= 10)
  t.same(
    views.filter((view) => !examples.some(({ sql }) => new RegExp(`FROM ${view}\\b`).test(sql))),
    [],
  )
})
