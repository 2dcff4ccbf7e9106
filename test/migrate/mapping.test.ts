/** The mapping file: what a dump calls collections and fields. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { FIELDS } from '../../src/migrate/fields.ts'
import { readMapping } from '../../src/migrate/mapping.ts'
import {
  content,
  friend,
  letter,
  type MongoDocument,
  oid,
  person,
  runCommand,
  Target,
  temporaryFolder,
  writeDump,
} from './support.ts'

const [a, b] = [oid(1), oid(2)]
const pair = { users: [person(1), person(2)], friends: [friend(11, a, b), friend(12, b, a)] }

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

await t.test('a collection of ours is left out if it is ignored', async (t) => {
  const target = await Target.create(t)
  await target.import(await writeDump(t, pair), { ignore: ['friends'] })
  t.equal((await target.rows('select from users')).length, 2)
  t.equal((await target.rows('select from friendships')).length, 0)
  t.equal((await target.rows('select from quarantine')).length, 0)
})

await t.test('what cannot be meant is one sentence', async (t) => {
  const path = join(await temporaryFolder(t), 'map.json')
  const wrong: [mapping: unknown, why: RegExp][] = [
    ['{"fields": ', /JSON/],
    [[], /expected object/],
    [{ colections: {} }, /Unrecognized key: "colections"/],
    [{ collections: { user: 'members' } }, /user is none of our collections/],
    [{ fields: { user: { nick: 'name' } } }, /user is none of our collections/],
    [{ fields: { users: { nik: 'name' } } }, /users have no field nik that the server knows/],
    [{ fields: { users: { _id: 'name' } } }, /users have no field _id that the server knows/],
    [{ fields: { users: { nick: 'a', sign: 'a' } } }, /two fields of users would be called a/],
    [{ fields: { users: { nick: 'sign' } } }, /two fields of users would be called sign/],
    [{ fields: { users: { nick: '_id' } } }, /two fields of users would be called _id/],
    [{ fields: { users: { nick: 5 } } }, /fields\.users\.nick: .*expected string/],
    [{ fields: { users: { nick: 'a.b' } } }, /fields\.users\.nick: a name without \. is expected/],
    [{ collections: { users: 'a', notes: 'a' } }, /two collections would be called a/],
    [{ collections: { users: 'notes' } }, /two collections would be called notes/],
    [{ collections: { users: 'row_details' } }, /two collections would be called row_details/],
    [{ collections: { users: '../x' } }, /collections\.users: a name without \/ and \\ is/],
  ]
  for (const [mapping, why] of wrong) {
    await writeFile(path, typeof mapping === 'string' ? mapping : JSON.stringify(mapping))
    t.throws(() => readMapping(path), { name: 'StartupError', message: why })
    t.throws(() => readMapping(path), { message: /^The mapping \S+ cannot be used: [^\n]+\.$/ })
  }
  t.throws(() => readMapping(`${path}.no`), { message: /cannot be used: ENOENT[^\n]+\.$/ })
  await writeFile(path, JSON.stringify({ fields: { users: { nick: 'sign', sign: 'nick' } } }))
  t.equal(readMapping(path).theirs('users', { nick: '名' })['sign'], '名', 'exchanged')
})

await t.test('a mapping that is wrong ends the command before it needs a database', async (t) => {
  const folder = await writeDump(t, pair)
  const path = join(folder, 'map')
  await writeFile(path, '{"collections": {"user": "members"}}')
  const nowhere = 'postgres://127.0.0.1:1/nowhere'
  const { code, stdout, stderr } = await runCommand('import', nowhere, [folder, '--map', path])
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, `The mapping ${path} cannot be used: user is none of our collections.\n`)
})

await t.test('every field may be called otherwise, and is in an export', async (t) => {
  const fields = Object.fromEntries(
    Object.entries(FIELDS).map(([collection, names]) => [
      collection,
      Object.fromEntries(names.map((name) => [name, `their_${name}`])),
    ]),
  )
  const mapping = { collections: { users: 'members', notes: 'papers' }, fields }
  const at = { userId: a, time: new Date(1.7e12) }
  const group = { userId: a, groupName: '群', imgUrl: '/g.png' }
  const [one, other] = [await Target.create(t), await Target.create(t)]
  const dump = await writeDump(t, {
    ...pair,
    groups: [1, 2].map((n) => ({ _id: oid(20 + n), groupNumber: n, ...group })),
    group_users: [{ _id: oid(25), groupId: oid(21), userId: b, time: at.time, state: 1 }],
    private_chats: [letter(30, a, b)],
    group_chats: [{ _id: oid(35), groupId: oid(21), message: '好', msgType: 0, ...at }],
    spaces: [{ _id: oid(40), textDesc: '字', photos: [], ...at }],
    space_comments: [
      { _id: oid(41), spaceId: oid(40), type: 0, textarea: '评', fromId: a, toId: a, ...at },
      { ...{ _id: oid(42), spaceId: oid(40), type: 1, spaceCommentId: oid(41) }, ...at },
    ],
    space_likes: [{ _id: oid(43), spaceId: oid(40), userId: a }],
    notes: [{ _id: oid(44), text: '记', ...at }, { _id: oid(45) }],
    papers_of_others: [{ _id: oid(46) }],
  })
  await one.import(dump)
  await one.rows('delete from group_members where group_id = (select max(id) from groups)')
  await one.rows('update groups set dissolved_at = now() where id = (select max(id) from groups)')

  const out = join(await temporaryFolder(t), 'out')
  await one.export(out, mapping)
  const names = (await readdir(out)).sort()
  t.ok(names.includes('members.json') && names.includes('papers_of_others.json'), String(names))
  t.notOk(names.includes('users.json') || names.includes('notes.json'), String(names))
  for (const name of names.filter((name) => !/^(papers_of|row_details)/.test(name))) {
    const lines = (await readFile(join(out, name), 'utf8')).trim().split('\n')
    for (const line of lines) {
      const keys = Object.keys(JSON.parse(line) as object)
      t.ok(
        keys.every((key) => key === '_id' || key === '__v' || key.startsWith('their_')),
        `${name}: ${String(keys)}`,
      )
    }
  }
  await other.import(out, mapping)
  t.strictSame(await content(other), await content(one))
  t.equal((await other.verify(out, mapping)).passed, true)
})

await t.test('foreign collections and ours are never taken for each other', async (t) => {
  const target = await Target.create(t)
  const path = join(await temporaryFolder(t), 'map.json')
  const folder = await writeDump(t, { members: [person(1)], users: [{ _id: oid(5) }] })
  const mapping = { collections: { users: 'members' } }
  await writeFile(path, JSON.stringify(mapping))
  const refused = await runCommand('import', target.url, [folder, '--map', path])
  t.equal(refused.code, 1)
  t.match(refused.stderr, /^The dump has users, and the mapping says that ours is called members: /)
  t.strictSame(await target.rows('select from users'), [])
  await target.import(folder, { ...mapping, ignore: ['users'] })
  t.equal((await target.rows('select from users')).length, 1)

  await target.import(await writeDump(t, { users: [], sessions: [{ _id: oid(6) }] }))
  const out = join(await temporaryFolder(t), 'out')
  await t.rejects(target.export(out, { collections: { users: 'sessions' } }), {
    name: 'StartupError',
    message: 'The quarantine has sessions: the mapping must use another name.',
  })
  t.strictSame(await readdir(out), [])
})
