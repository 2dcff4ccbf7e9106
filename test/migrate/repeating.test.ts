/** A dump is imported again, or a newer or older one is. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Double, EJSON } from 'bson'
import t from 'tap'
import {
  filesOf,
  friend,
  letter,
  oid,
  person,
  Target,
  temporaryFolder,
  unsound,
  writeDump,
} from './support.ts'

const [a, b] = [oid(1), oid(2)]
const pair = { users: [person(1), person(2)], friends: [friend(11, a, b), friend(12, b, a)] }

const history = `select body, m.seq <= f.read_seq as read
  from messages m join friendships f
    on f.conversation_id = m.conversation_id and f.friend_id = m.sender_id
  order by m.seq`
await t.test('of a newer dump only the differences are imported', async (t) => {
  const target = await Target.create(t)
  const first = { ...pair, private_chats: [letter(30, a, b), letter(50, a, b, 0)] }
  await target.import(await writeDump(t, first))
  const newer = {
    users: [{ ...person(1), nick: '改名' }, person(2), person(3)],
    friends: [...pair.friends, friend(13, a, oid(3)), friend(14, oid(3), a)],
    private_chats: [letter(30, a, b), letter(50, a, b, 1), letter(60, b, a, 0)],
  }
  const folder = await writeDump(t, newer, 'json')
  const { collections } = await target.import(folder)
  const counts = (name: string) => {
    const { new: added, changed, unchanged } = collections.get(name) ?? { new: 0, changed: 0 }
    return [added, changed, unchanged]
  }
  t.strictSame(counts('users'), [1, 1, 1])
  t.strictSame(counts('friends'), [2, 0, 2])
  t.strictSame(counts('private_chats'), [1, 1, 1])
  t.strictSame(await target.rows(history), [
    { body: '第30条', read: true },
    { body: '第50条', read: true },
    { body: '第60条', read: false },
  ])
  t.strictSame(await target.rows(unsound), [])
  const verification = await target.verify(folder)
  t.equal(verification.passed, true, verification.toString())
})

await t.test('an older message is put where it belongs', async (t) => {
  const target = await Target.create(t)
  const read = { ...pair, private_chats: [letter(30, a, b), letter(50, a, b)] }
  await target.import(await writeDump(t, read))
  const late = { private_chats: [letter(20, a, b), letter(40, a, b, 0), letter(60, b, a)] }
  const folder = await writeDump(t, late)
  const report = await target.import(folder)
  t.strictSame(
    (await target.rows(history)).map(({ body }) => body),
    ['第20条', '第30条', '第40条', '第50条', '第60条'],
  )
  t.strictSame(
    [...(report.collections.get('private_chats')?.mended ?? [])],
    [['late-message-read', 1]],
  )
  t.strictSame(await target.rows(unsound), [])
  t.equal((await target.verify(folder)).passed, true)
  t.equal((await target.import(folder)).collections.get('private_chats')?.new, 0)
})

await t.test('a message that says something else than before is kept beside it', async (t) => {
  const target = await Target.create(t)
  await target.import(await writeDump(t, { ...pair, private_chats: [letter(30, a, b)] }))
  const other = { private_chats: [{ ...letter(30, a, b), message: '别的' }] }
  const folder = await writeDump(t, other)
  for (let imported = 0; imported < 2; imported += 1) {
    await target.import(folder)
    t.strictSame(await target.rows('select body from messages'), [{ body: '第30条' }])
    t.strictSame(await target.rows('select reason, document_text from quarantine'), [
      {
        reason: 'message-changed',
        document_text: EJSON.stringify(other.private_chats[0], { relaxed: false }),
      },
    ])
  }
  t.equal((await target.verify(folder)).passed, true)
})

await t.test('what was refused is imported once it fits', async (t) => {
  const target = await Target.create(t)
  await target.import(await writeDump(t, { friends: pair.friends }))
  t.equal((await target.rows('select from quarantine')).length, 2)
  await target.import(await writeDump(t, pair))
  t.equal((await target.rows('select from quarantine')).length, 0)
  t.equal((await target.rows('select from friendships')).length, 2)
})

await t.test('mongodump and mongoexport may follow each other', async (t) => {
  const target = await Target.create(t)
  const time = new Double(1_701_222_000_000)
  const dump = { ...pair, private_chats: [{ ...letter(30, a, b), time, state: new Double(1) }] }
  await target.import(await writeDump(t, dump, 'bson'))
  const folder = await writeDump(t, {})
  const relaxed = { ...dump.private_chats[0], time: 1_701_222_000_000, state: 1 }
  await writeFile(join(folder, 'private_chats.json'), EJSON.stringify([relaxed]))
  const report = await target.import(folder)
  t.equal(report.collections.get('private_chats')?.unchanged, 1)
  t.equal((await target.rows('select from quarantine')).length, 0)
  t.equal((await target.verify(folder)).passed, true)
})

await t.test('an id that two pairs have stays with the first', async (t) => {
  const target = await Target.create(t)
  const folder = await writeDump(t, {
    users: [1, 2, 3].map(person),
    friends: [friend(11, a, b), friend(12, b, a), friend(13, a, b), friend(13, b, oid(3))],
  })
  const state = () => target.rows('select id from friendships order by id')
  await target.import(folder)
  const before = await state()
  t.equal(before.length, 2)
  await target.import(folder)
  t.strictSame(await state(), before)
})

await t.test('ids that a pair has exchanged are refused', async (t) => {
  const target = await Target.create(t)
  await target.import(await writeDump(t, pair))
  const exchanged = { ...pair, friends: [friend(12, a, b), friend(11, b, a)] }
  const folder = await writeDump(t, exchanged)
  await target.import(folder)
  t.strictSame(await target.rows('select distinct reason from quarantine'), [
    { reason: 'id-twice' },
  ])
  t.equal((await target.verify(folder)).passed, true)
})

await t.test('nobody joins a group that was dissolved here', async (t) => {
  const target = await Target.create(t)
  const groups = [{ _id: oid(50), userId: a, groupName: '群', groupNumber: 5, imgUrl: '/g.png' }]
  await target.import(await writeDump(t, { ...pair, groups }))
  await target.rows('delete from group_members')
  await target.rows('update groups set dissolved_at = now()')
  const member = { _id: oid(51), groupId: oid(50), userId: b, time: new Date(1.7e12), state: 1 }
  const folder = await writeDump(t, { ...pair, groups, group_users: [member] })
  await target.import(folder)
  t.strictSame(await target.rows('select reason from quarantine'), [{ reason: 'group-dissolved' }])
  t.strictSame(await target.rows('select * from health_problems'), [])
})

await t.test('a number that went from one person to another is taken over at once', async (t) => {
  const target = await Target.create(t)
  const phones = (...numbers: number[]) => ({
    users: numbers.map((n, index) => ({ ...person(index + 1), phone: `1380000000${n}` })),
  })
  await target.import(await writeDump(t, phones(1, 2, 3)))
  const folder = await writeDump(t, phones(2, 3, 4))
  const { collections } = await target.import(folder)
  t.equal(collections.get('users')?.changed, 3)
  t.strictSame(
    (await target.rows('select phone from users order by id')).map(({ phone }) => phone),
    ['13800000002', '13800000003', '13800000004'],
  )
  t.strictSame(await target.rows('select from quarantine'), [])
  t.equal((await target.verify(folder)).passed, true)
})

await t.test(
  'whatever TIMEZONE says later, documents have the texts that they came with',
  async (t) => {
    const target = await Target.create(t)
    const time = '2023-11-26 0:30'
    const dump = (state: number) => ({
      ...pair,
      groups: [
        { _id: oid(20), userId: a, groupName: '群', groupNumber: 1, creatTime: '2023年11月16日' },
      ],
      private_chats: [
        { ...letter(30, a, b, state), time },
        { ...letter(31, a, b), time: 'Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)' },
      ],
      spaces: [{ _id: oid(40), userId: a, textDesc: '字', photos: [], time }],
      notes: [{ _id: oid(44), userId: a, text: '记', color: '#fff5a8', time }],
    })
    const folder = await writeDump(t, dump(0))
    await target.import(folder)
    const here = await target.verify(folder)
    t.equal(here.passed, true, here.toString())
    for (const zone of ['UTC', 'America/New_York']) {
      t.equal((await target.verify(folder, {}, zone)).toString(), here.toString(), zone)
    }
    const outs = await Promise.all(
      ['Asia/Shanghai', 'UTC'].map(async (zone) => {
        const out = join(await temporaryFolder(t), 'out')
        await target.export(out, {}, zone)
        return filesOf(out)
      }),
    )
    t.strictSame(outs.map((files) => ({ ...files, 'row_details.json': '' }))[1], {
      ...outs[0],
      'row_details.json': '',
    })

    const { collections } = await target.import(await writeDump(t, dump(1)), {}, 'UTC')
    t.equal(collections.get('private_chats')?.changed, 1, 'read meanwhile')
    t.strictSame(await target.rows('select from quarantine'), [])
  },
)
