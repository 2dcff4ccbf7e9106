import t from 'tap'
import { pino } from 'pino'
import { insertUser } from '../../src/accounts/queries.ts'
import { openDatabase } from '../../src/database/connection.ts'
import { agreeToFriendship, applyForFriendship } from '../../src/friends/queries.ts'
import { acceptApplication, insertApplication, insertGroup } from '../../src/groups/transitions.ts'
import { markRead, type NewMessage, storeMessages } from '../../src/messages/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'
import { assertUnreadCounts } from '../helpers/unread.ts'

const database = await createTestDatabase()
const db = openDatabase(database.url, 2, pino({ level: 'silent' }))
t.teardown(async () => {
  await db.close()
  await database.drop()
})

const { id: one } = await insertUser(db, { phone: '13000000001', passwordHash: '-', nick: '一' })
const { id: two } = await insertUser(db, { phone: '13000000002', passwordHash: '-', nick: '二' })
await applyForFriendship(db, one, two)
await agreeToFriendship(db, two, one)
const avatarUrl = '/group_pic.png'
const groupId = await db.transaction((tx) =>
  insertGroup(tx, { ownerId: one, name: '群', sign: '群', avatarUrl }),
)

const say = (conversation: NewMessage['conversation'], senderId: string, targetId: string) => {
  const rest = { kind: 'text', body: 'x', sentAt: new Date() } as const
  return storeMessages(db, [{ id: newId(), conversation, senderId, targetId, ...rest }], false)
}
const rows = async () => {
  const text = `select user_id, friend_id, group_id, unread::int, recounted::int
    from unread_proof order by group_id nulls first, user_id`
  return (await execute(database.url, text)).rows as unknown[]
}

await t.test('the view counts what is unread in both ways', async (t) => {
  await say('group', one, groupId)
  await insertApplication(db, groupId, two)
  await acceptApplication(db, groupId, two)
  for (let count = 0; count < 3; count++) {
    await say('group', one, groupId)
    await say('private', two, one)
  }
  await say('private', one, two)
  await say('group', two, groupId)
  await markRead(db, 'private', two, one)
  t.same(await rows(), [
    { user_id: one, friend_id: two, group_id: null, unread: 3, recounted: 3 },
    { user_id: two, friend_id: one, group_id: null, unread: 0, recounted: 0 },
    { user_id: one, friend_id: null, group_id: groupId, unread: 1, recounted: 1 },
    { user_id: two, friend_id: null, group_id: groupId, unread: 3, recounted: 3 },
  ])
  await assertUnreadCounts(database.url)
})

await t.test('a wrong position shows', async (t) => {
  for (const table of ['friendships', 'group_members']) {
    const change = (by: number) =>
      execute(
        database.url,
        `update ${table} set sent_total = sent_total + ${by} where user_id = '${one}'`,
      )
    await change(1)
    await t.rejects(assertUnreadCounts(database.url), table)
    await change(-1)
    await assertUnreadCounts(database.url)
  }
})
