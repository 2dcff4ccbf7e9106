import t from 'tap'
import { pino } from 'pino'
import { openDatabase } from '../../src/database/connection.ts'
import { missedMessages } from '../../src/messages/live.ts'
import { type NewMessage, storeMessages } from '../../src/messages/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { makeFriends, makeGroup, makePeople } from '../faults/world.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const LIMIT = 5
const MOST_BYTES = 1_000

const database = await createTestDatabase()
const db = openDatabase(database.url, 2, pino({ level: 'silent' }))
t.teardown(async () => {
  await db.close()
  await database.drop()
})

await t.test('one’s own messages do not keep those of others from being sent', async (t) => {
  const [own = '', friend = '', other = ''] = await makePeople(database.url, 3)
  await makeFriends(database.url, [
    [own, friend],
    [own, other],
  ])
  const groupId = await makeGroup(database.url, [own, friend])
  const say = async (
    texts: readonly string[],
    senderId: string,
    [conversation, targetId]: readonly ['private' | 'group', string],
  ) => {
    const sentAt = new Date()
    const batch = texts.map((body): NewMessage => {
      return { id: newId(), conversation, senderId, targetId, kind: 'text', body, sentAt }
    })
    await storeMessages(db, batch, false)
  }
  const ownTexts = (count: number) => Array.from({ length: count }, (_, index) => `own ${index}`)
  const missed = async () => {
    const found = await missedMessages(db, own, 1, LIMIT, MOST_BYTES)
    return found.map(([, , , , , body]) => body)
  }

  await say(['from before'], friend, ['private', own])
  await say(['1', '2', '3'], friend, ['private', own])
  await say(ownTexts(12), own, ['private', friend])
  await say(['4'], other, ['private', own])
  t.same(await missed(), ['1', '2', '3', '4'])

  await say(['5', '6', '7'], friend, ['group', groupId])
  await say(ownTexts(12), own, ['group', groupId])
  t.same(await missed(), ['3', '4', '5', '6', '7'], 'of all, the newest')

  await say(ownTexts(9 * LIMIT), own, ['private', friend])
  t.same(
    await missed(),
    ['4', '5', '6', '7'],
    'it is not looked through more than ten times as many',
  )

  await say(['x'.repeat(MOST_BYTES - 1), '9'], other, ['private', own])
  t.same(
    (await missed()).map((text) => text.slice(-1)),
    ['x', '9'],
    'bytes count, too',
  )
})
