import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { insertUser } from '../../src/accounts/queries.ts'
import {
  isUniqueViolation,
  openDatabase,
  openSession,
  type Queryable,
  statement,
} from '../../src/database/connection.ts'
import { users } from '../../src/database/schema.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'

const database = await createTestDatabase()
const open = (size: number, url = database.url) =>
  openDatabase(url, size, pino({ level: 'silent' }))
const db = open(3)
t.teardown(async () => {
  await db.close()
  await database.drop()
})

const person = (db: Queryable, phone: string) =>
  insertUser(db, { phone, passwordHash: 'x', nick: '小明' })
const countPeople = statement<[number]>('test_people', 'select count(*) from users')

await t.test('values come as what JavaScript works with', async (t) => {
  const everything = statement<unknown[]>(
    'test_values',
    `select 9007199254740991::bigint, '2003-06-26'::date, true, null::timestamptz, '数'::text,
      array['a', '数'], 7::int`,
  )
  const [row] = await db.run(everything)
  t.same(row, [9007199254740991, '2003-06-26', true, null, '数', ['a', '数'], 7])
})

await t.test('times are exact to the millisecond, whatever the zone of the session', async (t) => {
  const echo = statement<[Date]>('test_times', 'select $1::timestamptz(3)')
  const times = [
    '2023-11-29T01:57:29.000Z',
    '2023-11-29T01:57:29.500Z',
    '2023-11-29T01:57:29.050Z',
    '2023-11-29T01:57:29.123Z',
    '1970-01-01T00:00:00.000Z',
    '1988-06-26T15:59:59.999Z',
    '9999-12-31T23:59:59.999Z',
  ]
  const elsewhere = new URL(database.url)
  elsewhere.searchParams.set('options', '-c TimeZone=Asia/Kathmandu')
  const other = open(1, elsewhere.href)
  t.teardown(() => other.close())
  for (const time of times) {
    for (const one of [db, other]) {
      const [row] = await one.run(echo, [new Date(time)])
      t.equal(row?.[0].toISOString(), time)
    }
  }
  const { id, createdAt } = await person(db, '13800000001')
  const read = statement<[Date]>('test_created', 'select created_at from users where id = $1')
  t.same((await db.run(read, [id]))[0]?.[0], createdAt)
  t.same((await other.run(read, [id]))[0]?.[0], createdAt)
})

await t.test('statements are prepared once and planned generically', async (t) => {
  const one = open(1)
  t.teardown(() => one.close())
  for (let i = 0; i < 8; i += 1) await one.run(countPeople)
  const { rows } = await one.pool.query(
    'select name, generic_plans, custom_plans from pg_prepared_statements',
  )
  t.same(rows, [{ name: 'test_people', generic_plans: '8', custom_plans: '0' }])
})

await t.test('a transaction commits all that it did, or nothing', async (t) => {
  const before = (await db.run(countPeople))[0]?.[0] ?? 0
  const id = await db.transaction(async (tx) => {
    const { id } = await person(tx, '13800000002')
    t.same(await tx.run(countPeople), [[before + 1]])
    t.same(await db.run(countPeople), [[before]], 'not seen from outside yet')
    return id
  })
  t.equal((await db.orm.select().from(users).where(eq(users.id, id))).length, 1)

  const reason = new Error('the reason')
  const failing = db.transaction(async (tx) => {
    await person(tx, '13800000003')
    throw reason
  })
  await t.rejects(failing, reason)
  const clash: unknown = await db
    .transaction(async (tx) => {
      await person(tx, '13800000004')
      await person(tx, '13800000002')
    })
    .catch((error: unknown) => error)
  t.ok(isUniqueViolation(clash))
  t.notOk(isUniqueViolation(reason))
  t.same(await db.run(countPeople), [[before + 1]])
  t.equal(db.pool.idleCount, db.pool.totalCount, 'every connection is given back')
})

const backend = statement<[number]>('test_backend', 'select pg_backend_pid()')
const killed = async (pid: number) => {
  await execute(database.url, `select pg_terminate_backend(${pid})`)
  const alive = `select from pg_stat_activity where pid = ${pid}`
  while ((await execute(database.url, alive)).rowCount !== 0) await sleep(5)
}

await t.test('a transaction whose backend is killed fails, and the pool heals', async (t) => {
  const before = await db.run(countPeople)
  const betweenQueries = db.transaction(async (tx) => {
    const [row] = await tx.run(backend)
    await person(tx, '13800000005')
    await killed(row?.[0] ?? 0)
    await tx.run(countPeople)
  })
  await t.rejects(betweenQueries)

  const beforeCommit = db.transaction(async (tx) => {
    const [row] = await tx.run(backend)
    await person(tx, '13800000006')
    await killed(row?.[0] ?? 0)
  })
  await t.rejects(beforeCommit)

  const duringQuery = db.transaction(async (tx) => {
    const [row] = await tx.run(backend)
    const sleeping = tx.run(statement('test_sleep', 'select pg_sleep(4)'))
    await Promise.all([sleeping, killed(row?.[0] ?? 0)])
  })
  await t.rejects(duringQuery)

  for (let i = 0; i < 6; i += 1) t.same(await db.run(countPeople), before)
  t.equal(db.pool.idleCount, db.pool.totalCount)
})

await t.test('idle connections that are killed are replaced', async (t) => {
  const pids = await Promise.all(Array.from({ length: 3 }, () => db.run(backend)))
  for (const [row] of pids) await killed(row?.[0] ?? 0)
  while (db.pool.totalCount > 0) await sleep(5)
  t.equal((await db.run(countPeople)).length, 1)
})

await t.test('who waits too long for a connection is told so', async (t) => {
  const one = open(1)
  t.teardown(() => one.close())
  await one.transaction(async () => {
    await t.rejects(one.run(countPeople), { message: /timeout/ })
  })
  t.equal((await one.run(countPeople)).length, 1)
})

await t.test('a session says why its connection is no more', async (t) => {
  const session = await openSession(database.url, 'waifchat test')
  const ask = statement<[pid: number]>('test_pid', 'select pg_backend_pid()')
  const [row] = await session.run(ask)
  t.equal(session.lost, undefined)
  await execute(database.url, `select pg_terminate_backend(${Number(row?.[0])})`)
  while (session.lost === undefined) await sleep(5)
  t.match(session.lost.message, /terminat/)
  await t.rejects(session.run(ask), { message: /not queryable/ })
  await session.close()
})
