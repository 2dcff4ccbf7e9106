import { pino } from 'pino'
import t from 'tap'
import { insertUser } from '../../src/accounts/queries.ts'
import { type Database, openDatabase, type Statement } from '../../src/database/connection.ts'
import { applyForFriendship } from '../../src/friends/queries.ts'
import { createNotices } from '../../src/notices/notices.ts'
import type { Server } from '../../src/realtime/events.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const database = await createTestDatabase()
const log = pino({ level: 'silent' })
const db = openDatabase(database.url, 3, log)
t.teardown(async () => {
  await db.close()
  await database.drop()
})
const people = await Promise.all(
  Array.from({ length: 5 }, (_, index) =>
    insertUser(db, { phone: `1380000000${index}`, passwordHash: 'x', nick: 'n' }),
  ),
)
const [asked = '', ...applicants] = people.map(({ id }) => id)

/** Notices whose counts arrive when the test lets them, and how many friends wait by what is told. */
function noticesWithSlowAnswers() {
  const counted: (() => void)[] = []
  const slow: Database = {
    ...db,
    async run<Row extends readonly unknown[]>(query: Statement<Row>, values?: readonly unknown[]) {
      const rows = await db.run(query, values)
      if (query.name !== 'notices_count') return rows
      return new Promise<Row[]>((resolve) => {
        counted.push(() => resolve(rows))
      })
    },
  }
  const told: number[] = []
  const events: string[] = []
  const receiver = {
    emit(event: string, { friendNoticeNum }: { friendNoticeNum: number }) {
      told.push(friendNoticeNum)
      events.push(event)
    },
  }
  const notices = createNotices({ to: () => receiver } as unknown as Server, slow, log, () => '0')
  t.teardown(() => notices.stop())
  const next = async () => {
    while (counted.length === 0) await pause()
    return counted
  }
  return { notices, told, events, receiver: receiver as never, next }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5))

for (const [what, index] of [
  ['apply_notice', 0],
  ['init_apply_notice', 1],
] as const) {
  await t.test(`what is told last is what was counted last, after ${what}`, async (t) => {
    const { notices, told, events, receiver, next } = noticesWithSlowAnswers()
    const shown =
      what === 'apply_notice'
        ? notices.show(receiver, asked)
        : notices.answer(receiver, asked, 1_000)
    const counted = await next()
    await applyForFriendship(db, applicants[index] ?? '', asked)
    notices.applied(asked)
    // Time for a later count to overtake the one that waits.
    await Promise.all(Array.from({ length: 10 }, pause))
    for (const give of counted.splice(0).reverse()) give()
    await shown
    for (const give of (await next()).splice(0)) give()
    while (told.length < 2) await pause()
    t.same(told, [index, index + 1])
    t.same(events, [what, 'apply_notice'])
  })
}

await t.test('news that come while it is counted share the next count', async (t) => {
  const { notices, told, next } = noticesWithSlowAnswers()
  notices.applied(asked)
  const counted = await next()
  for (const applicant of applicants.slice(2)) {
    await applyForFriendship(db, applicant, asked)
    for (let time = 0; time < 100; time += 1) notices.applied(asked)
  }
  while (told.length < 2) {
    for (const give of counted.splice(0)) give()
    await pause()
  }
  await pause()
  t.same(told, [2, 4])
  t.same(counted, [], 'nothing more is counted')
})
