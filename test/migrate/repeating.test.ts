/** A dump is imported again, or a newer or older one is. */
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { BSON, EJSON } from 'bson'
import t from 'tap'
import {
  friend,
  letter,
  type MongoDocument,
  oid,
  person,
  runCommand,
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

await t.test('collections and fields may be called otherwise', async (t) => {
  const mapping = {
    collections: { users: 'members', private_chats: 'letters' },
    fields: { users: { nick: 'nickname', password: 'pwd' } },
    ignore: ['sessions'],
  }
  const theirs = ({ nick, password, ...others }: MongoDocument) => ({
    ...{ ...others, nickname: nick, pwd: password },
  })
  const target = await Target.create(t)
  const folder = await writeDump(t, {
    members: [theirs(person(1)), { ...theirs(person(2)), nick: '两个' }],
    letters: [],
    sessions: [{ _id: oid(5) }],
  })
  await target.import(folder, mapping)
  t.strictSame(await target.rows('select nick from users'), [{ nick: '用户1' }])
  t.strictSame(await target.rows('select collection, reason from quarantine'), [
    { collection: 'users', reason: 'field-twice' },
  ])
  t.equal((await target.verify(folder, mapping)).passed, true)
  const out = join(await temporaryFolder(t), 'out')
  await target.export(out, mapping)
  t.equal((await target.verify(out, mapping)).passed, true)
})

await t.test('a dump that ends within a document is named, and kept so far', async (t) => {
  const target = await Target.create(t)
  const folder = await writeDump(t, pair)
  const bytes = BSON.serialize({ _id: oid(9), userId: a, text: '记' })
  await writeFile(join(folder, 'notes.bson'), Buffer.concat([bytes, bytes.subarray(0, 10)]))
  const { code, stderr } = await runCommand('import', target.url, [folder])
  t.equal(code, 1)
  t.match(stderr, /notes\.bson ends within the document at byte \d+\.\n$/)
  t.equal((await target.rows('select from users')).length, 2)
})
