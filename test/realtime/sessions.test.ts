import t from 'tap'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { insertUser } from '../../src/accounts/queries.ts'
import { openDatabase } from '../../src/database/connection.ts'
import { createSessions, keepSessions } from '../../src/realtime/sessions.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const database = await createTestDatabase()
const log = pino({ level: 'silent' })
const db = openDatabase(database.url, 3, log)
t.teardown(async () => {
  await db.close()
  await database.drop()
})
const user = await insertUser(db, { phone: '13800000001', passwordHash: 'x', nick: 'n' })
const other = await insertUser(db, { phone: '13800000002', passwordHash: 'x', nick: 'n' })

/** Makes every session look as if it had been seen last so long ago. */
const seen = (milliseconds: number) =>
  db.pool.query("update socket_sessions set seen_at = now() - $1 * interval '1 ms'", [milliseconds])
const lastSeen = async () => {
  const { rows } = await db.pool.query<{ ago: number }>(
    'select extract(epoch from now() - min(seen_at))::float8 * 1000 as ago from socket_sessions',
  )
  return rows[0]?.ago ?? Infinity
}

await t.test('a session says for whom it speaks, until it ends', async (t) => {
  const sessions = createSessions(db, DAY)
  t.equal(await sessions.find('p'), undefined)
  await sessions.save('p', user.id, true, 0)
  t.equal((await sessions.find('p'))?.userId, user.id)
  await sessions.save('p', other.id, false, 0)
  t.equal((await sessions.find('p'))?.userId, other.id)
  t.equal(await sessions.find('q'), undefined)
  await sessions.end('p')
  t.equal(await sessions.find('p'), undefined)
  await sessions.end('p')
})

await t.test('a session begins for somebody who is there, at a position', async (t) => {
  const sessions = createSessions(db, DAY)
  t.equal(await sessions.save('p', user.id, true, 7), true)
  t.equal(await sessions.save('p', 'f'.repeat(24), true, 8), false)
  t.equal(
    await sessions.save('p', user.id, true, 8),
    true,
    'what came after 7 may not have arrived',
  )
  t.same(await sessions.find('p'), { userId: user.id, startPosition: 7 })
  t.equal(await sessions.save('p', other.id, true, 9), true)
  t.same(await sessions.find('p'), { userId: other.id, startPosition: 9 })
  await sessions.end('p')
})

await t.test('of many sessions of one user those not seen for longest end', async (t) => {
  const sessions = createSessions(db, DAY)
  await sessions.save('of another', other.id, true, 0)
  await sessions.save('in use', user.id, true, 0)
  for (let index = 0; index < 120; index += 1) {
    await sessions.save(`p${index}`, user.id, true, 0)
    if (index % 50 === 0) await sessions.keep(['in use'])
  }
  t.ok(await sessions.find('of another'))
  t.ok(await sessions.find('in use'), 'it was noted as seen')
  t.equal(await sessions.find('p0'), undefined)
  t.ok(await sessions.find('p119'))
  const { rowCount } = await db.pool.query('select from socket_sessions where user_id = $1', [
    user.id,
  ])
  t.equal(rowCount, 100)
  await db.pool.query('delete from socket_sessions')
})

await t.test('it expires when it was not seen for long, and not before', async (t) => {
  const sessions = createSessions(db, DAY)
  await sessions.save('p', user.id, true, 0)
  await seen(DAY - HOUR)
  t.equal((await sessions.find('p'))?.userId, user.id)
  t.ok((await lastSeen()) < HOUR, 'coming back counts as being seen')
  await seen(DAY + HOUR)
  t.equal(await sessions.find('p'), undefined)
  await sessions.keep([])
  t.equal((await db.pool.query('select from socket_sessions')).rowCount, 0)
})

await t.test('those that stay connected are noted as seen, however many', async (t) => {
  const sessions = createSessions(db, DAY)
  await sessions.save('p', user.id, true, 0)
  await seen(DAY + HOUR)
  await sessions.keep(['p', ...Array.from({ length: 70_000 }, (_, index) => `stranger ${index}`)])
  t.equal((await sessions.find('p'))?.userId, user.id)
})

await t.test('a short life is noted often enough to last while connected', async (t) => {
  const ttl = 1_000
  const sessions = createSessions(db, ttl)
  await sessions.save('p', user.id, true, 0)
  const end = keepSessions(sessions, () => ['p'], log)
  await pause(2 * ttl)
  end()
  t.equal((await sessions.find('p'))?.userId, user.id)
  t.equal(createSessions(db, 30 * DAY).keptEvery, HOUR)
})

await t.test('a session that ends while the database is away stays ended', async (t) => {
  const sessions = createSessions(db, DAY)
  await sessions.save('p', user.id, true, 0)
  const lock = await db.pool.connect()
  await lock.query('begin')
  await lock.query('lock table socket_sessions in share mode')
  const ended = sessions.end('p')
  t.equal(await sessions.find('p'), undefined, 'this process knows')
  // Longer than statements wait for a lock: the first attempt fails.
  await pause(2_500)
  await lock.query('rollback')
  lock.release()
  await ended
  t.equal(await createSessions(db, DAY).find('p'), undefined, 'and now every process')
})
