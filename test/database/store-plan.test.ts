/** How PostgreSQL stores many messages at once, with the plan that it keeps. */
import pg from 'pg'
import t from 'tap'
import { createTestDatabase } from '../helpers/databases.ts'

const TOGETHER = 100

const database = await createTestDatabase()
t.teardown(() => database.drop())
const client = new pg.Client({ connectionString: database.url })
await client.connect()
t.teardown(() => client.end())

const ids = (kind: number) =>
  Array.from({ length: TOGETHER + 1 }, (_, n) => `${kind}${String(n).padStart(23, '0')}`)
const people = ids(1)
const every = <Value>(value: Value): Value[] => Array.from({ length: TOGETHER }, () => value)

/** Everybody but the last writes to the next, each in a conversation of their own. */
function store(messageIds: string[]) {
  return client.query(
    `select * from store_messages($1::text[], $2::conversation_kind[], $3::text[], $4::text[],
      $5::message_kind[], $6::text[], $7::timestamptz[], false)`,
    [
      ...[messageIds.slice(1), every('private'), people.slice(0, -1), people.slice(1)],
      ...[every('text'), every('好'), every(new Date())],
    ],
  )
}

await t.test('each message costs the same, however many come together', async (t) => {
  await client.query(
    `insert into users (id, phone, password_hash, nick)
    select id, '139' || lpad(n::text, 8, '0'), '-', '人' || n
    from unnest($1::text[]) with ordinality i (id, n)`,
    [people],
  )
  await client.query(`insert into conversations (kind, low_user_id, high_user_id)
    select 'private', id, lead(id) over (order by id) from users order by id limit ${TOGETHER}`)
  await client.query(`insert into friendships (id, user_id, friend_id, state, conversation_id)
    select '3' || lpad(row_number() over (order by c.id, mine)::text, 23, '0'), mine, theirs,
      'accepted', c.id
    from conversations c,
      lateral (values (low_user_id, high_user_id), (high_user_id, low_user_id)) v (mine, theirs)`)
  const plans: string[] = []
  client.on('notice', ({ message }) => plans.push(message ?? ''))
  await client.query('set plan_cache_mode = force_generic_plan')
  try {
    await client.query("load 'auto_explain'")
  } catch {
    t.pass('this PostgreSQL has no auto_explain')
    return
  }
  for (const setting of [
    'log_min_duration = 0',
    'log_analyze = on',
    'log_nested_statements = on',
  ]) {
    await client.query(`set auto_explain.${setting}`)
  }
  await client.query('set client_min_messages = log')
  t.equal((await store(ids(4))).rows.length, TOGETHER)
  const plan = plans.find((one) => one.includes('WITH earlier')) ?? ''
  t.match(plan, /Index Scan using users_pkey on users u /)
  t.match(plan, /Index Scan using conversations_pkey on conversations c/)
  const removed = [...plan.matchAll(/Rows Removed by Join Filter: (\d+)/g)].map(([, n]) =>
    Number(n),
  )
  t.ok(Math.max(0, ...removed) <= TOGETHER, `rows compared in vain: ${String(removed)}`)

  await client.query('set client_min_messages = warning')
  await store(ids(5))
  const { rows } = await client.query('select distinct last_seq::int from conversations')
  t.same(rows, [{ last_seq: 2 }])
})
