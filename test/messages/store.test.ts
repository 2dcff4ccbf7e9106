import t from 'tap'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { openDatabase } from '../../src/database/connection.ts'
import { type NewMessage, type StoredRow, storeMessages } from '../../src/messages/queries.ts'
import { groups } from '../../src/database/schema.ts'
import { deleteFriendship } from '../../src/friends/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { makeFriends, makeGroup, makePeople, randomFrom } from '../faults/world.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const database = await createTestDatabase()
const db = openDatabase(database.url, 2, pino({ level: 'silent' }))
t.teardown(async () => {
  await db.close()
  await database.drop()
})

await t.test('what arrives together is numbered in the order in which it came', async (t) => {
  const [a = '', b = '', c = ''] = await makePeople(database.url, 3)
  await makeFriends(database.url, [
    [a, b],
    [a, c],
  ])
  const groupId = await makeGroup(database.url, [a, b, c])
  const targets = [
    ['group', groupId],
    ['private', c],
    ['private', b],
  ] as const
  const batch = Array.from({ length: 30 }, (_, index): NewMessage => {
    const [conversation, targetId] = targets[index % targets.length] ?? targets[0]
    const [senderId, sentAt] = [a, new Date()]
    return { id: newId(), conversation, senderId, targetId, kind: 'text', body: 'x', sentAt }
  })
  const arrived = batch.map((_, index) => index + 1)
  const stored = async (repeated: boolean) =>
    (await storeMessages(db, batch, repeated)).map(([ordinal, position]) => [ordinal, position])

  const numbered = await stored(false)
  t.same(
    numbered.map(([ordinal]) => ordinal),
    arrived,
  )
  t.same(await stored(true), numbered, 'a repetition finds them where they are')
  const { rows } = await db.pool.query<{ seqs: string[] }>(
    `select array_agg(seq order by position) as seqs from messages group by conversation_id`,
  )
  for (const { seqs } of rows) t.same(seqs.map(Number), arrived.slice(0, 10))
})

const message = (
  conversation: NewMessage['conversation'],
  senderId: string,
  targetId: string,
): NewMessage => {
  const sentAt = new Date()
  return { id: newId(), conversation, senderId, targetId, kind: 'text', body: 'x', sentAt }
}

await t.test('a repetition finds what was stored, though the friendship has ended', async (t) => {
  const [a = '', b = ''] = await makePeople(database.url, 2)
  await makeFriends(database.url, [[a, b]])
  const batch = [message('private', a, b)]
  const stored = await storeMessages(db, batch, false)
  t.equal(stored.length, 1)
  await deleteFriendship(db, a, b)
  t.same(await storeMessages(db, batch, true), stored)
  t.same(await storeMessages(db, [message('private', a, b)], false), [], 'another one is refused')
})

await t.test('a few messages and many are stored alike', async (t) => {
  const people = await makePeople(database.url, 5)
  const [a = '', b = '', c = '', d = '', stranger = ''] = people
  await makeFriends(database.url, [
    [a, b],
    [c, d],
  ])
  const joined = await makeGroup(database.url, [a, b, c])
  const dissolved = await makeGroup(database.url, [a, b])
  await db.orm.update(groups).set({ membersVersion: 7 }).where(eq(groups.id, joined))
  await db.pool.query('delete from group_members where group_id = $1', [dissolved])
  await db.pool.query('update groups set dissolved_at = now() where id = $1', [dissolved])
  const random = randomFrom(12)
  const some = <Value>(values: readonly Value[]) =>
    values[Math.floor(random() * values.length)] as Value
  const messages = Array.from({ length: 60 }, () =>
    random() < 0.5
      ? message('private', some(people), some([a, b, c, d]))
      : message('group', some(people), some([joined, joined, dissolved, stranger])),
  )
  /** All that storing them, so many at a time, leaves behind; positions from the first one on. */
  const outcomeOf = async (together: number) => {
    const outcome: unknown[] = []
    const undo = new Error('undone')
    await db
      .transaction(async (tx) => {
        const rows: StoredRow[] = []
        for (let start = 0; start < messages.length; start += together) {
          const batch = messages.slice(start, start + together)
          for (const [ordinal, ...row] of await storeMessages(tx, batch, false)) {
            rows.push([ordinal + start, ...row])
          }
        }
        const first = rows[0]?.[1] ?? 0
        outcome.push(
          rows.map(([ordinal, position, ...shown]) => [ordinal, position - first, shown]),
        )
        for (const what of [
          `select id, conversation_id, seq, position - ${first}, sender_id, kind, body, sent_at
          from messages where position >= ${first} order by position`,
          `select id, last_seq, case when last_position >= ${first} then last_position - ${first} end
          from conversations order by id`,
          'select id, sent_total from friendships order by id',
          'select id, sent_total from group_members order by id',
        ]) {
          outcome.push((await tx.orm.execute(what)).rows)
        }
        throw undo
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error
      })
    return outcome
  }
  const many = await outcomeOf(60)
  const allowed = (many[0] as unknown[]).length
  t.ok(allowed > 10 && allowed < 50, `${allowed} of them are allowed`)
  for (const few of [1, 2, 3, 4]) t.same(await outcomeOf(few), many, `${few} at a time`)
})
