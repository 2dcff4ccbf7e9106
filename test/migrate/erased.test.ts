/** What was erased or deleted here stays away, whatever is imported; verifying tells it from loss. */
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BSON, EJSON } from 'bson'
import t from 'tap'
import { execute } from '../helpers/databases.ts'
import { friend, letter, oid, person, Target, writeDump } from './support.ts'

const [a, b, club] = [oid(1), oid(2), oid(50)]
const time = new Date(1.7e12)
const moment = (n: number, userId = a) => ({
  ...{ _id: oid(n), userId, textDesc: '说说', photos: [], time, __v: 0 },
})
const dump = {
  users: [person(1), person(2), person(3)],
  friends: [friend(11, a, b), friend(12, b, a)],
  groups: [
    { _id: club, userId: b, groupName: '群', groupNumber: 5, sign: '', imgUrl: '/g.png', __v: 0 },
  ],
  group_users: [
    { _id: oid(61), groupId: club, userId: a, time, state: 1, __v: 0 },
    { _id: oid(62), groupId: club, userId: b, state: 1, __v: 0 },
  ],
  private_chats: [letter(30, a, b), letter(31, b, a)],
  group_chats: [
    { _id: oid(40), groupId: club, userId: a, message: '去者说', msgType: 0, time, __v: 0 },
    { _id: oid(41), groupId: club, userId: b, message: '波说', msgType: 0, time, __v: 0 },
  ],
  spaces: [moment(70), moment(71, b)],
  // By somebody else, for somebody else, on a moment that goes.
  space_comments: [
    {
      ...{ _id: oid(80), userId: b, spaceId: oid(70), type: 0, textarea: '评论' },
      ...{ fromId: b, toId: b, time, __v: 0 },
    },
  ],
  notes: [
    { _id: oid(90), userId: a, text: '便签', color: '#fff', time, __v: 0 },
    { _id: oid(91), userId: b, text: '便签', color: '#fff', time, __v: 0 },
  ],
  // What no row stands for: each says in another form whom it is about.
  sessions: [
    { _id: 1, who: a },
    { _id: 2, phone: '13800000001' },
    { _id: 3, phone: '+86 138-0000-0001' },
    { _id: 4, who: a.toHexString().toUpperCase() },
    { _id: 5, phone: '113800000001' },
  ],
}

await t.test('an import does not bring back who was erased', async (t) => {
  const target = await Target.create(t)
  const folder = await writeDump(t, dump)
  const torn = BSON.serialize({ _id: 6, who: a }).subarray(0, -1)
  await appendFile(join(folder, 'sessions.bson'), Buffer.concat([torn, Buffer.from([7])]))
  await target.import(folder)
  t.equal((await target.rows('select from quarantine')).length, 6)

  await execute(target.url, `select erase_user('${a.toHexString()}')`)
  t.strictSame(
    await target.rows('select document_text from quarantine'),
    [{ document_text: EJSON.stringify(dump.sessions[4], { relaxed: false }) }],
    'what is about the person leaves the quarantine',
  )
  const state = `select
    (select count(*) from users) as users, (select count(*) from friendships) as friendships,
    (select count(*) from messages) as messages, (select count(*) from notes) as notes,
    (select count(*) from spaces) as spaces, (select count(*) from comments) as comments,
    (select array_agg(body order by seq) from messages) as said,
    (select count(*) from quarantine where document_text ilike '%${a.toHexString()}%') as kept`
  const before = await target.rows(state)
  const { collections } = await target.import(folder)
  t.strictSame(await target.rows(state), before)
  const erased = Object.fromEntries([...collections].map(([name, { erased }]) => [name, erased]))
  const expected = {
    ...{ users: 1, friends: 2, groups: 0, group_users: 1, private_chats: 2, group_chats: 1 },
    ...{ spaces: 1, space_comments: 1, notes: 1 },
  }
  t.match(erased, expected)

  const verification = await target.verify(folder)
  t.equal(verification.passed, true, verification.toString())
  const verdicts = [...verification.collections].map(([name, { erased }]) => [name, erased])
  t.match(Object.fromEntries(verdicts), expected)
})

await t.test('what was deleted here is gone, not missing; what is lost is', async (t) => {
  const target = await Target.create(t)
  const folder = await writeDump(t, dump)
  await target.import(folder)
  await execute(
    target.url,
    `delete from notes where id = '${oid(91).toHexString()}';
    delete from friendships;
    delete from group_members;
    update groups set dissolved_at = now()`,
  )
  const verification = await target.verify(folder)
  t.equal(verification.passed, true, verification.toString())
  const gone = [...verification.collections].map(([name, { gone }]) => [name, gone])
  t.match(Object.fromEntries(gone), { users: 0, notes: 1, friends: 2, group_users: 2, groups: 1 })

  await execute(
    target.url,
    `delete from notes; delete from imported_documents where id = '${oid(90).toHexString()}'`,
  )
  const lost = await target.verify(folder)
  t.equal(lost.passed, false)
  t.strictSame(lost.collections.get('notes')?.missing, 1)
})

await t.test('what only an earlier dump had is counted and stays', async (t) => {
  const target = await Target.create(t)
  await target.import(await writeDump(t, dump))
  const newer = await writeDump(t, { users: dump.users, notes: dump.notes.slice(0, 1) })
  const { collections } = await target.import(newer)
  t.strictSame(collections.get('notes')?.earlier, 1)
  t.strictSame(collections.get('users')?.earlier, 0)
  t.equal((await target.rows('select from notes')).length, 2)
  const verification = await target.verify(newer)
  t.equal(verification.passed, true)
  t.strictSame(verification.collections.get('notes')?.earlier, 1)
})
