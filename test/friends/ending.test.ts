import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { insertUser } from '../../src/accounts/queries.ts'
import { openDatabase } from '../../src/database/connection.ts'
import {
  agreeToFriendship,
  applyForFriendship,
  deleteFriendship,
  listFriends,
} from '../../src/friends/queries.ts'
import { friendMessagePage, storeMessages } from '../../src/messages/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const database = await createTestDatabase()
const db = openDatabase(database.url, 5, pino({ level: 'silent' }))
t.teardown(async () => {
  await db.close()
  await database.drop()
})

async function waiting(count: number): Promise<void> {
  for (;;) {
    const { rowCount } = await db.pool.query(
      `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (rowCount === count) return
    await sleep(5)
  }
}

await t.test('a friendship ends after what is being stored in it', async (t) => {
  const person = (phone: string) => insertUser(db, { phone, passwordHash: 'x', nick: 'n' })
  const [a, b] = [await person('13800000001'), await person('13800000002')]
  await applyForFriendship(db, a.id, b.id)
  await agreeToFriendship(db, b.id, a.id)
  const message = {
    id: newId(),
    conversation: 'private',
    senderId: a.id,
    targetId: b.id,
    kind: 'text',
    body: '最后',
    sentAt: new Date(),
  } as const

  const { storing, ending } = await db.transaction(async (tx) => {
    // Holds the writer up after it has seen that the two are friends.
    await tx.orm.execute('select from conversations for update')
    const storing = storeMessages(db, [message], false)
    await waiting(1)
    const ending = deleteFriendship(db, a.id, b.id)
    await waiting(2)
    t.equal((await listFriends(tx, a.id))?.length, 1)
    return { storing, ending }
  })
  t.equal((await storing).length, 1)
  await ending
  t.equal((await listFriends(db, a.id))?.length, 0)
  t.same(
    await storeMessages(db, [{ ...message, id: newId() }], false),
    [],
    'and nothing is stored after',
  )

  await applyForFriendship(db, a.id, b.id)
  await agreeToFriendship(db, b.id, a.id)
  t.equal((await friendMessagePage(db, a.id, b.id, 1)).length, 1)
})
