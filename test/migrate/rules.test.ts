/**
 * Every rule by which a document is mended, and every reason for which it is kept in the quarantine
 * instead: one dump has them all.
 */
import { createHash } from 'node:crypto'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BSON, Double, EJSON, Long, ObjectId } from 'bson'
import t from 'tap'
import { MENDINGS, REASONS } from '../../src/migrate/rules.ts'
import { type Collections, type MongoDocument, oid, Target, writeDump } from './support.ts'

const dump: Collections = {}
const wanted = { mended: new Map<string, string[]>(), quarantined: new Map<string, string>() }
let last = 100

/** Adds a document and says what is to become of it: names of rules, or `!` and a reason. */
function add(collection: string, document: MongoDocument, ...verdicts: string[]): ObjectId {
  const { _id = oid((last += 1)) } = document
  dump[collection] = [...(dump[collection] ?? []), { ...document, _id, __v: 0 }]
  const key = `${collection} ${_id instanceof ObjectId ? _id.toHexString() : String(_id)}`
  const [reason] = verdicts.filter((one) => one.startsWith('!'))
  if (reason !== undefined) wanted.quarantined.set(key, reason.slice(1))
  else if (verdicts.length > 0) wanted.mended.set(key, verdicts.sort())
  return _id as ObjectId
}

let phones = 0
const person = (fields: MongoDocument = {}): MongoDocument => {
  const phone = `139${String((phones += 1)).padStart(8, '0')}`
  const whole = { phone, password: `$2b$10$${'x'.repeat(53)}`, nick: '小明', imgUrl: '/a.png' }
  return { ...whole, ...fields }
}
const md5 = createHash('md5').update('secret').digest('hex')
const SPEAKER = 'Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)'
const DAY = new Date('2023-11-25T18:36:15.748Z')
const nobody = oid(1)

const a = add('users', person({ phone: '13800000001', sign: '你好' }))
const b = add('users', person({ password: 'plain text', sign: 'x' }), 'password-plain')
const c = add('users', person({ password: md5 }), 'password-md5')
const d = add('users', person({ password: undefined }), 'password-missing')
add('users', person({ password: ['plain text'] }), 'password-unusable')
const e = add('users', person({ phone: '+86 138-0000-0002' }), 'phone-tidied')
add('users', person({ phone: 13_800_000_003 }), 'text-from-value')
add('users', person({ WaiFCode: 'WaiFCode_1' }), 'code-from-phone')
add('users', person({ birthday: '2000-01-01', start: '白羊座' }), 'start-from-birthday')
add('users', person({ nick: '' }), 'nick-given')
add('users', person({ nick: '一'.repeat(20) }), 'nick-cut')
add('users', person({ sign: '😀'.repeat(60) }), 'sign-cut')
add('users', person({ imgUrl: null }), 'picture-given')
add('users', person({ sex: '保密' }), 'sex-unknown')
add('users', person({ birthday: '2000/1/2' }), 'birthday-tidied')
add('users', person({ birthday: '昨天' }), 'birthday-dropped')
add('users', person({ nick: 'a\0b' }), 'text-cleaned')
add('users', person({ _id: 'ABCDEF0123456789ABCDEF01' }), 'id-lower-cased')
add('users', person({ phone: '12345' }), '!phone-unusable')
add('users', person({ phone: '13800000001' }), '!phone-taken')
add('users', person({ _id: 17 }), '!id-unusable')
add('users', { ...person({ _id: a }), nick: '又一个' })
wanted.quarantined.set(`users ${a.toHexString()}`, 'id-twice')

const group = (fields: MongoDocument = {}): MongoDocument => ({
  ...{ userId: a, groupName: '群', groupNumber: (last += 1), sign: '', imgUrl: '/g.png' },
  ...{ creatTime: '2023年11月16日', ...fields },
})
const owned = 'owner-joined'
const club = add('groups', group({ groupNumber: new Double(1_700_078_705_941) }))
add('groups', group({ groupNumber: new Double(1_700_078_705_941) }), 'group-number-given', owned)
add('groups', group({ groupNumber: '17' }), 'number-from-text', owned)
add('groups', group({ groupName: '' }), 'group-name-given', owned)
add('groups', group({ groupName: '二'.repeat(16) }), 'group-name-cut', owned)
add('groups', group({ userId: nobody }), '!user-unknown')
add('groups', group({ userId: 'me' }), '!reference-unusable')

const member = (fields: MongoDocument): MongoDocument => ({
  ...{ groupId: club, time: DAY, state: 1, ...fields },
})
add('group_users', member({ userId: a, time: undefined }))
add('group_users', member({ userId: b }))
add('group_users', member({ userId: b, state: 0 }), '!member-doubled')
add('group_users', member({ userId: c, state: 7 }), '!state-unknown')
add('group_users', member({ userId: c, groupId: nobody }), '!group-unknown')

const friend = (userId: ObjectId, friendId: ObjectId, state: number): MongoDocument => ({
  ...{ userId, friendId, state, time: DAY },
})
add('friends', friend(a, b, 1))
add('friends', friend(b, a, 1))
add('friends', friend(a, b, 1), '!friend-doubled')
add('friends', friend(a, c, 1), 'friend-mirrored')
add('friends', friend(a, d, 1))
add('friends', friend(d, a, 0), 'friend-agreed')
add('friends', friend(a, e, 4))
add('friends', friend(e, a, 4), 'friend-turned')
add('friends', friend(a, a, 1), '!friend-self')

const letter = (fields: MongoDocument = {}): MongoDocument => ({
  ...{ userId: a, friendId: b, message: '你好', msgType: 0, time: SPEAKER, state: 1, ...fields },
})
add('private_chats', letter())
add('private_chats', letter({ msgType: '5' }), 'number-from-text')
add('private_chats', letter({ msgType: 99 }), 'type-unknown')
add('private_chats', letter({ message: ['一', '二'] }), 'message-joined')
add('private_chats', letter({ message: undefined }), 'message-empty')
add('private_chats', letter({ message: { 长: 1 } }), 'text-from-value')
add('private_chats', letter({ message: '<img src=x onerror=alert(1)>' }), 'message-defused')
add(
  'private_chats',
  letter({ msgType: 1, message: '{"url":"javascript:alert(1)"}' }),
  'message-defused',
)
add('private_chats', letter({ time: undefined }), 'time-from-id')
add('private_chats', letter({ time: DAY }))
add('private_chats', letter({ time: Long.fromNumber(DAY.getTime()) }))
add('private_chats', letter({ time: '2023-11-26 02:53' }))
add('private_chats', letter({ state: undefined }), 'read-assumed')
add('private_chats', letter({ state: 0, time: '2023-11-29 18:00:00' }))
add('private_chats', letter({ time: '2023-11-29 18:00:01' }), 'read-after-unread')
add('private_chats', letter({ friendId: a }), '!message-to-oneself')
add('group_chats', { groupId: club, userId: a, message: '大家好', msgType: 0, time: SPEAKER })
add('group_chats', { groupId: nobody, userId: a, message: 'x', msgType: 0 }, '!group-unknown')

const moment = add('spaces', { userId: a, textDesc: '字', photos: [], time: '2023-11-26 2:53' })
add('spaces', { userId: a, photos: '["/1.png"]', time: DAY }, 'photos-from-text')
add('spaces', { userId: a, photos: ['/1.png', 5], time: DAY }, 'photos-cleaned')
add('spaces', { userId: a, textDesc: '', photos: [] }, '!space-empty')
const said = (fields: MongoDocument): MongoDocument => ({
  ...{ userId: a, spaceId: moment, type: 0, textarea: '评', fromId: a, toId: a, time: DAY },
  ...fields,
})
const comment = add('space_comments', said({}))
const reply = add('space_comments', said({ type: 1, spaceCommentId: comment, toId: b }))
add('space_comments', said({ type: 1, spaceCommentId: reply }), 'reply-moved')
add('space_comments', said({ fromId: b }), 'writer-from-user')
add('space_comments', said({ type: 2, spaceCommentId: comment, textarea: '二' }), 'type-unknown')
add('space_comments', said({ type: undefined, textarea: '无' }), 'type-unknown')
add('space_comments', said({ type: '1', spaceCommentId: comment }), 'number-from-text')
add('space_comments', said({ toId: nobody }), 'recipient-given')
add('space_comments', said({ type: 1, spaceCommentId: nobody }), '!comment-unknown')
add('space_comments', said({ spaceId: nobody }), '!space-unknown')
add('space_likes', { userId: a, spaceId: moment })
add('space_likes', { userId: a, spaceId: moment }, '!like-doubled')
add('notes', { userId: a, text: '记', time: SPEAKER }, 'color-given')
add('sessions', { whatever: 1 }, '!collection-unknown')

const folder = await writeDump(t, dump)
await writeFile(join(folder, 'notes.bson'), '', { flag: 'a' })
// A document of which only the length is right.
const torn = BSON.serialize({ userId: a, text: '坏' })
await appendFile(join(folder, 'notes.bson'), torn.fill(0xff, 4))

const target = await Target.create(t)
const outcome = async () => ({
  mended: await target.rows(`select collection || ' ' || id as key, mended from imported_documents
    where mended is not null order by 1`),
  quarantined: await target.rows(`select collection, document_id, reason, document_text
    from quarantine order by 1, 2, 3`),
})

await t.test('every document is mended by its rule or kept with its reason', async (t) => {
  const report = await target.import(folder)
  const { mended, quarantined } = await outcome()
  const key = (id: unknown): string => {
    const value = EJSON.parse(String(id)) as unknown
    return value instanceof ObjectId ? value.toHexString() : String(value)
  }
  t.strictSame(
    Object.fromEntries(mended.map((row) => [row['key'], (row['mended'] as string[]).sort()])),
    Object.fromEntries([...wanted.mended].sort().map(([key, rules]) => [key.toLowerCase(), rules])),
  )
  t.strictSame(
    Object.fromEntries(
      quarantined.map((row) => {
        const id = row['document_id']
        return [id === null ? 'broken' : `${String(row['collection'])} ${key(id)}`, row['reason']]
      }),
    ),
    { ...Object.fromEntries(wanted.quarantined), broken: 'not-decodable' },
  )
  const counted = [...report.collections.values()].reduce((sum, one) => sum + one.documents, 0)
  t.equal(counted, Object.values(dump).flat().length + 1)
})

await t.test('each rule and each reason occurs here, or has a test of its own', (t) => {
  const rules = new Set([...wanted.mended.values()].flat())
  t.strictSame(
    MENDINGS.filter((rule) => !rules.has(rule)),
    ['late-message-read'],
  )
  const reasons = new Set(wanted.quarantined.values())
  t.strictSame(
    REASONS.filter((reason) => !reasons.has(reason)),
    ['not-decodable', 'field-twice', 'group-dissolved', 'message-changed'],
  )
  t.end()
})

await t.test('each is explained', async (t) => {
  const page = await readFile(new URL('../../docs/migration.md', import.meta.url), 'utf8')
  for (const name of [...MENDINGS, ...REASONS]) t.ok(page.includes(`\`${name}\``), name)
})

await t.test('nothing is missing, and nothing is different', async (t) => {
  const verification = await target.verify(folder)
  t.equal(verification.passed, true, verification.toString())
})

await t.test('a second import of the dump changes nothing', async (t) => {
  const everything = () =>
    target.rows(`select table_name, (xpath('/row/md5/text()', query_to_xml(format(
      'select md5(string_agg(x::text, chr(10) order by x::text)) from %I x', table_name
    ), true, true, '')))[1]::text as md5
    from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`)
  const before = await everything()
  const report = await target.import(folder)
  t.strictSame(await everything(), before)
  for (const [name, counts] of report.collections) {
    t.equal(counts.new + counts.changed, 0, name)
  }
})

await t.test('no password of the dump is kept as it was', async (t) => {
  const tables = ['users', 'imported_documents', 'quarantine', 'imports']
  for (const table of tables) {
    const found = await target.rows(`select from ${table} x
      where x::text like '%plain text%' or x::text like '%${md5}%'`)
    t.equal(found.length, 0, table)
  }
})

await t.test('what was mended is as the rules say', async (t) => {
  const one = async (text: string) => Object.values((await target.rows(text))[0] ?? {})[0]
  t.equal(await one(`select phone from users where id = '${e.toHexString()}'`), '13800000002')
  t.equal(await one(`select password_hash from users where id = '${d.toHexString()}'`), '!')
  t.equal(await one("select count(*)::int from users where nick like '用户____'"), 1)
  t.strictSame(
    await target.rows(
      `select body from messages where kind = 'text' and body like '%一%' or body = ''`,
    ),
    [{ body: '一\n二' }, { body: '' }],
  )
  t.strictSame(
    await target.rows(`select state::text from friendships f join users u on u.id = f.user_id
      where f.user_id in ('${a.toHexString()}', '${c.toHexString()}', '${d.toHexString()}')
      order by f.user_id, f.friend_id`),
    ['accepted', 'accepted', 'accepted', 'received', 'accepted', 'accepted'].map((state) => ({
      state,
    })),
  )
  t.strictSame(
    await target.rows(`select sex::text, sign from users where id = '${c.toHexString()}'`),
    [{ sex: 'unknown', sign: '这个人很高冷, 暂时没有留下什么' }],
    'as the original shows people without either',
  )
  t.strictSame(
    await target.rows(`select body, parent_id from comments where body in ('二', '无') order by 1`),
    ['二', '无'].sort().map((body) => ({ body, parent_id: null })),
  )
  t.strictSame(await target.rows('select * from unread_proof where unread <> recounted'), [])
})
