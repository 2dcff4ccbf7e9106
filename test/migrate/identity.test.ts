/** Import of an export is the identity: for whatever the original had. */
import { join } from 'node:path'
import { Double, Int32, Long, ObjectId } from 'bson'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { execute } from '../helpers/databases.ts'
import { seeded } from '../helpers/random.ts'
import {
  type Collections,
  content,
  filesOf,
  type Format,
  type MongoDocument,
  oid,
  person,
  Target,
  temporaryFolder,
  unsound,
  writeDump,
} from './support.ts'

const RUNS = 12

// Few ids, so that documents refer to each other, repeat each other and contradict each other.
const id = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 3 }))
  .map(([kind, n]) => new ObjectId(`650000${kind}${n}${'0'.repeat(16)}`))
const fresh = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((bytes) => new ObjectId(`65000000${Buffer.from(bytes).toString('hex')}`))
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', '你好', 'a\0b', '<b>x</b>'),
)
const time = fc.oneof(
  fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
  fc.constantFrom('Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)', '2023-11-26 1:58', '昨天'),
  fc.integer({ min: 1.6e9, max: 1.8e9 }).map((seconds) => Long.fromNumber(seconds * 1000)),
)
const number = fc.oneof(
  fc.integer({ min: -1, max: 9 }),
  fc.integer({ min: -1, max: 9 }).map((value) => new Int32(value)),
  fc.integer({ min: -1, max: 9 }).map(String),
  fc.double().map((value) => new Double(value)),
)
const odd = fc.oneof(text, number, time, id, fc.constant(null), fc.constant([]), fc.object())

/** A document of mostly the right fields: some are missing, odd, or unknown. */
function document(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<MongoDocument> {
  const usual = fc.record(fields, {
    requiredKeys: Object.keys(fields).filter((key) => key !== 'time'),
  })
  return fc
    .tuple(
      fc.oneof({ weight: 9, arbitrary: fresh }, id),
      usual,
      fc.dictionary(fc.constantFrom('extra', '__v', ...Object.keys(fields)), odd, { maxKeys: 2 }),
      fc.nat(9),
    )
    .map(([_id, whole, strange, chance]) => ({ _id, ...whole, ...(chance < 3 ? strange : {}) }))
}
const list = (one: fc.Arbitrary<MongoDocument>, maxLength: number) => fc.array(one, { maxLength })

// The people whom everything refers to are there; others may or may not be.
const people: MongoDocument[] = [0, 1, 2, 3].map((n) => ({
  ...{ _id: new ObjectId(`6500000${n}${'0'.repeat(16)}`), phone: `1390000000${n}`, nick: `人${n}` },
  ...{ password: `$2b$10$${'x'.repeat(53)}`, imgUrl: '/a.png', __v: 0 },
}))
const userId = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...people.map(({ _id }) => _id as ObjectId)) },
  id,
)
const ref = (kind: number) =>
  fc.integer({ min: 0, max: 3 }).map((n) => new ObjectId(`650000${kind}${n}${'0'.repeat(16)}`))

const state = fc.constantFrom<unknown>(0, 1, 1, 1, 4)
const message = { userId, message: text, msgType: fc.constantFrom<unknown>(0, 4, 5, '0', 99), time }
const dumps: fc.Arbitrary<Collections> = fc.record({
  users: list(
    document({
      phone: fc.constantFrom('13900000001', '13911111111', 'x'),
      nick: text,
      sign: text,
      sex: fc.constantFrom('男', '保密'),
      birthday: fc.constantFrom('2000-01-01', '2000/1/2', ''),
    }),
    3,
  ).map((others) => [...people, ...others.map((one) => ({ password: '!', ...one }))]),
  groups: fc
    .uniqueArray(document({ userId, groupName: text, groupNumber: number, creatTime: time }), {
      maxLength: 3,
      selector: ({ _id }) => String(_id),
    })
    .map((groups) =>
      groups.map((one, n) =>
        n < 2 ? { ...one, _id: new ObjectId(`6500001${n}${'0'.repeat(16)}`) } : one,
      ),
    ),
  group_users: list(document({ groupId: ref(1), userId, state, time }), 8),
  friends: list(document({ userId, friendId: userId, state, time }), 10),
  private_chats: list(document({ ...message, friendId: userId, state }), 15),
  group_chats: list(document({ ...message, groupId: ref(1) }), 10),
  spaces: list(
    document({ userId, textDesc: text, photos: fc.array(text, { maxLength: 2 }), time }),
    4,
  ),
  space_comments: list(
    document({
      userId,
      spaceId: ref(2),
      textarea: text,
      type: fc.constantFrom(0, 1),
      spaceCommentId: fresh,
      fromId: userId,
      toId: userId,
      time,
    }),
    5,
  ),
  space_likes: list(document({ userId, spaceId: ref(2) }), 5),
  notes: list(document({ userId, text, color: text, time }), 4),
  sessions: list(
    fc.object().map((one) => ({ ...one })),
    2,
  ),
})

const tables = `users, groups, friendships, group_members, conversations, messages, spaces,
  comments, space_likes, notes, quarantine, imported_documents, imports`
const empty = (target: Target) => execute(target.url, `truncate ${tables} cascade`)

const [one, other] = [await Target.create(t), await Target.create(t)]

/** Imports a dump, exports it and imports the export elsewhere. */
async function goThereAndBack(t: Test, dump: Collections, format: Format): Promise<void> {
  await Promise.all([empty(one), empty(other)])
  const folder = await writeDump(t, dump, format)
  await one.import(folder)
  const verification = await one.verify(folder)
  t.equal(verification.passed, true, verification.toString())
  t.strictSame(await one.rows(unsound), [])

  const exported = join(await temporaryFolder(t), 'export')
  await one.export(exported)
  await other.import(exported)
  t.strictSame(await content(other), await content(one))
  const again = join(await temporaryFolder(t), 'export')
  await other.export(again)
  t.strictSame(await filesOf(again), await filesOf(exported))
}

await t.test('whatever the original had is there, and goes there and back', async (t) => {
  const format = fc.constantFrom<Format>('bson', 'bson.gz', 'json', 'json.gz')
  const property = fc.asyncProperty(dumps, format, async (dump, format) => {
    await goThereAndBack(t, dump, format)
    if (!t.passing()) throw new Error('not the same')
  })
  await fc.assert(property, { ...seeded(RUNS), endOnFailure: true })
})

await t.test('of two unusable documents with one id the first stays the first', async (t) => {
  const like = (spaceId: number) => ({ _id: oid(9), userId: oid(1), spaceId: oid(spaceId) })
  for (const likes of [
    [like(2), like(3)],
    [like(3), like(2)],
  ]) {
    await goThereAndBack(t, { users: [person(1)], space_likes: likes }, 'bson')
    t.strictSame(
      await other.rows(`select reason, document -> 'spaceId' ->> '$oid' as space from quarantine
        order by reason desc`),
      ['space-unknown', 'id-twice'].map((reason, n) => ({
        ...{ reason, space: String(likes[n]?.spaceId) },
      })),
    )
  }
})
