/** Dumps that are torn, or no dumps at all; and what documents hold that PostgreSQL cannot. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BSON, Decimal128, EJSON } from 'bson'
import t from 'tap'
import {
  type Format,
  letter,
  oid,
  person,
  runCommand,
  Target,
  temporaryFolder,
  writeDump,
} from './support.ts'

const note = { _id: oid(9), userId: oid(1), text: '记', __v: 0 }
const whole = {
  users: [person(1), person(2)],
  private_chats: [letter(30, oid(1), oid(2)), letter(31, oid(2), oid(1))],
  notes: [note],
}

for (const format of ['bson', 'bson.gz', 'json.gz'] satisfies Format[]) {
  await t.test(`a torn .${format} is kept so far, and the rest is imported`, async (t) => {
    const folder = await writeDump(t, whole, format)
    const path = join(folder, `private_chats.${format}`)
    await writeFile(path, (await readFile(path)).subarray(0, -20))
    const target = await Target.create(t)
    for (const command of ['import', 'import', 'verify'] as const) {
      const { code, stdout } = await runCommand(command, target.url, [folder])
      t.equal(code, 1)
      t.match(
        stdout,
        /private_chats\.\S+ (ends within the document at byte|cannot be read to its end)/,
      )
    }
    const [row] = await target.rows(`select (select count(*)::int from notes) as notes,
      (select count(*)::int from quarantine where reason = 'not-decodable') as torn`)
    t.equal(row?.['notes'], 1)
    if (format === 'bson') t.equal(row?.['torn'], 1)
  })
}

await t.test('what follows a place where no document begins is lost, and said', async (t) => {
  const folder = await writeDump(t, whole)
  const path = join(folder, 'private_chats.bson')
  await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(30, 0xff)]))
  const target = await Target.create(t)
  const { code, stdout } = await runCommand('import', target.url, [folder])
  t.equal(code, 1)
  t.match(stdout, /private_chats\.bson is damaged at byte \d+: no document begins there\.$/m)
  t.equal((await target.rows('select from messages')).length, 2)
  t.equal((await target.rows('select from notes')).length, 1)
})

await t.test(
  'an empty archive is an empty collection, and what is not there is named',
  async (t) => {
    const folder = await writeDump(t, { users: [person(1)] })
    await writeFile(join(folder, 'notes.bson.gz'), '')
    const target = await Target.create(t)
    const { code, stdout } = await runCommand('import', target.url, [folder])
    t.equal(code, 0, stdout)
    t.match(stdout, /^not in this dump: groups, private_chats, .*space_likes$/m)
  },
)

await t.test('a dump of the whole server is that of its one database', async (t) => {
  const folder = await temporaryFolder(t)
  await rename(await writeDump(t, whole), join(folder, 'waifchat'))
  await mkdir(join(folder, 'admin'))
  await writeFile(join(folder, 'admin', 'system.version.bson'), '')
  await writeFile(join(folder, 'oplog.bson'), '')
  const target = await Target.create(t)
  await target.import(folder)
  t.equal((await target.rows('select from users')).length, 2)
})

await t.test('a dump with nothing of ours is refused', async (t) => {
  const folder = await writeDump(t, { Users: [person(1)], sessions: [] })
  const target = await Target.create(t)
  const { code, stderr } = await runCommand('import', target.url, [folder])
  t.equal(code, 1)
  t.match(stderr, /^The dump .* has none of our collections, but Users, sessions\.\n$/)
})

await t.test('an array of mongoexport, halves of characters, decimals, keys twice', async (t) => {
  const folder = await writeDump(t, {})
  await writeFile(join(folder, 'users.json'), EJSON.stringify([person(1), person(2)], undefined, 2))
  const chat = (n: number, message: unknown) => ({ ...letter(n, oid(1), oid(2)), message })
  const lines = [
    EJSON.stringify(chat(30, 'HALF')).replace('HALF', '\\ud800半'),
    EJSON.stringify(chat(31, Decimal128.fromString('1.5'))),
    EJSON.stringify(chat(32, '一')).replace('"message":', '"message":"零","message":'),
    EJSON.stringify(chat(33, 'a": {"b": 1}, "a": "')),
  ]
  await writeFile(join(folder, 'private_chats.json'), `[${lines.join(',\n')}]\n`)
  const target = await Target.create(t)
  await target.import(folder)
  t.strictSame(await target.rows('select body from messages order by id'), [
    { body: '\ufffd半' },
    { body: '1.5' },
    { body: 'a": {"b": 1}, "a": "' },
  ])
  t.strictSame(await target.rows('select reason, document_text from quarantine'), [
    { reason: 'not-decodable', document_text: lines[2] },
  ])
  t.equal((await target.verify(folder)).passed, true)
})

await t.test('a key twice in BSON, at any depth, is kept as it is', async (t) => {
  const twice = (document: object) => {
    const bytes = Buffer.from(BSON.serialize(document))
    bytes.write('text', bytes.indexOf('tex1'))
    return bytes
  }
  const notes = [
    twice({ ...note, tex1: '先' }),
    twice({ ...note, _id: oid(10), extra: [{ tex1: '先', text: '后' }] }),
    // Keys of a list count for nothing.
    Buffer.from(BSON.serialize({ ...note, _id: oid(11), list: [[1], { tex1: 1 }, { text: 2 }] })),
  ]
  const folder = await writeDump(t, whole)
  await writeFile(join(folder, 'notes.bson'), Buffer.concat(notes))
  const target = await Target.create(t)
  await target.import(folder)
  t.strictSame(await target.rows('select id from notes'), [{ id: String(oid(11)) }])
  const kept = await target.rows(`select document_text::json #>> '{$binary,base64}' as bytes
    from quarantine where reason = 'not-decodable' order by 1`)
  const bytes = notes.slice(0, 2).map((one) => ({ bytes: one.toString('base64') }))
  t.strictSame(
    kept,
    bytes.sort((one, other) => (one.bytes < other.bytes ? -1 : 1)),
  )
  t.equal((await target.verify(folder)).passed, true)
})

await t.test('an object for a message becomes plain JSON, as the client writes it', async (t) => {
  const picture = { url: '/1-a.png', height: 112.06, width: 200 }
  const at = new Date(1.7e12)
  const folder = await writeDump(t, {
    ...whole,
    private_chats: [
      { ...letter(30, oid(1), oid(2)), msgType: 1, message: picture },
      { ...letter(31, oid(1), oid(2)), message: [{ at, by: oid(1) }, 5] },
    ],
  })
  const target = await Target.create(t)
  await target.import(folder)
  t.strictSame(await target.rows('select kind::text, body from messages order by id'), [
    { kind: 'picture', body: JSON.stringify(picture) },
    { kind: 'text', body: JSON.stringify([{ at, by: String(oid(1)) }, 5]) },
  ])
  t.equal((await target.verify(folder)).passed, true)
})
