import t from 'tap'
import { pino } from 'pino'
import { insertUser } from '../../src/accounts/queries.ts'
import { openDatabase } from '../../src/database/connection.ts'
import { findGroup, listMemberships } from '../../src/groups/queries.ts'
import {
  acceptApplication,
  deleteMember,
  dissolveGroup,
  insertApplication,
  insertGroup,
  lockGroup,
} from '../../src/groups/transitions.ts'
import { holdMessages, type NewMessage, storeMessages } from '../../src/messages/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const database = await createTestDatabase()
const log = pino({ level: 'silent' })
/** As two servers on one database have them. */
const [db, elsewhere] = [openDatabase(database.url, 10, log), openDatabase(database.url, 10, log)]
t.teardown(async () => {
  await Promise.all([db.close(), elsewhere.close()])
  await database.drop()
})

const user = (phone: string) => insertUser(db, { phone, passwordHash: '-', nick: phone })
const owner = await user('13000000001')
const member = await user('13000000002')
const newGroup = { ownerId: owner.id, name: '群', sign: '群', avatarUrl: '/group_pic.png' }
const makeGroup = (on = db, changes: Partial<typeof newGroup> = {}) =>
  on.transaction((tx) => insertGroup(tx, { ...newGroup, ...changes }))
const message = (targetId: string): NewMessage => ({
  id: newId(),
  conversation: 'group',
  senderId: member.id,
  targetId,
  kind: 'text',
  body: 'x',
  sentAt: new Date(),
})
async function groupWithMember() {
  const groupId = await makeGroup()
  await insertApplication(db, groupId, member.id)
  await acceptApplication(db, groupId, member.id)
  return groupId
}

await t.test('64 groups made in one millisecond by two servers have 64 numbers', async (t) => {
  const now = Date.now()
  t.intercept(Date, 'now', { value: () => now })
  const ids: string[] = []
  const makeMany = async (on: typeof db) => {
    for (let made = 0; made < 32; made++) ids.push(await makeGroup(on))
  }
  await Promise.all([makeMany(db), makeMany(elsewhere)])
  const made = await Promise.all(ids.map((id) => findGroup(db, id)))
  const numbers = made.map((group) => group?.number ?? 0)
  t.same(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 64 }, (_, index) => now + index),
  )
  t.equal((await listMemberships(db, owner.id))?.length, 64)
})

await t.test('a group that cannot be made whole is not made', async (t) => {
  await t.rejects(makeGroup(db, { ownerId: newId() }))
  await t.rejects(makeGroup(db, { name: '' }))
  const { rows } = await db.pool.query(
    `select from groups g where not exists (select from group_members where group_id = g.id)
      or not exists (select from conversations where group_id = g.id)`,
  )
  t.equal(rows.length, 0)
})

/** Resolves when the other server waits for a lock. */
async function untilElsewhereWaits() {
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`
  while ((await elsewhere.pool.query(waiting)).rows.length === 0);
}

await t.test('while a membership changes, no other server stores a message', async (t) => {
  const groupId = await groupWithMember()
  let storing: Promise<unknown[]> | undefined
  await db.transaction(async (tx) => {
    await lockGroup(tx, groupId)
    await holdMessages(tx)
    await deleteMember(tx, groupId, member.id)
    storing = storeMessages(elsewhere, [message(groupId)], false)
    await untilElsewhereWaits()
  })
  t.same(await storing, [], 'and then it is refused')
})

await t.test('while a group is being dissolved, nobody applies to it', async (t) => {
  const groupId = await makeGroup()
  let applying: Promise<string | undefined> | undefined
  await db.transaction(async (tx) => {
    t.equal(await lockGroup(tx, groupId), owner.id)
    applying = elsewhere.transaction((tx) => lockGroup(tx, groupId))
    await untilElsewhereWaits()
    await dissolveGroup(tx, groupId)
  })
  t.equal(await applying, undefined, 'and then it is not there')
})
