import t from 'tap'
import { pino } from 'pino'
import { openDatabase } from '../../src/database/connection.ts'
import { type NewMessage, storeMessages } from '../../src/messages/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { makeFriends, makeGroup, makePeople } from '../faults/world.ts'
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
