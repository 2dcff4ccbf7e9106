/**
 * The document's own examples: the rows behind them are imported as the original had them, and
 * the endpoints must answer with exactly those bodies, byte by byte.
 */
import { ObjectId } from 'bson'
import t, { type Test } from 'tap'
import { endpoints } from '../contract/contract.ts'
import { at, isObject, withValue, type Json, type JsonObject } from '../contract/json.ts'
import { serve } from '../contract/server.ts'
import {
  type Collections,
  type Format,
  type MongoDocument,
  runCommand,
  Target,
  writeDump,
} from './support.ts'

const WIFI = '64eec06fa61f50ab31295296'
const KAPI = '64fb10adad117203367263fb'
const GROUP = '65552471a63c59f4e6755e44'

/** Fields that the original's answers fill with the document that they refer to. */
const REFERENCES = new Set([
  'userId',
  'friendId',
  'groupId',
  'fromId',
  'toId',
  'spaceId',
  'spaceCommentId',
])

function example(number: number, name = 'success'): Json {
  const body = endpoints
    .find((one) => one.number === number)
    ?.responses.find((one) => one.case === name)?.body
  if (body === undefined) throw new Error(`no example ${number} ${name}`)
  return body
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** The people and groups that examples show, with everything that is known of them. */
class Shown {
  readonly users = new Map<string, MongoDocument>()
  readonly groups = new Map<string, MongoDocument>()

  /** Turns what an example shows into the documents behind it. */
  behind(number: number, ...path: (string | number)[]): MongoDocument[] {
    const found = at(example(number), ...path)
    return (Array.isArray(found) ? found : [found])
      .filter(isObject)
      .map((one) => this.#document(one))
  }

  #document(shown: JsonObject): MongoDocument {
    const entries = Object.entries(shown).map(([key, value]): [string, unknown] => {
      if (key === '_id') return [key, new ObjectId(text(value))]
      if (key === 'time' && /Z$/.test(text(value))) return [key, new Date(text(value))]
      if (!REFERENCES.has(key)) return [key, value]
      return [key, new ObjectId(this.refer(key, value))]
    })
    return Object.fromEntries(entries)
  }

  refer(key: string, value: Json): string {
    if (!isObject(value)) return text(value)
    const known = key === 'groupId' ? this.groups : this.users
    const id = text(value['_id'])
    known.set(id, { ...known.get(id), ...value })
    return id
  }
}

/** Users and groups as the original keeps them. */
function keep(known: ReadonlyMap<string, MongoDocument>, whole: MongoDocument): MongoDocument[] {
  return [...known.values()].map((one, index) => {
    const unique = Object.entries(whole).map(([key, value]): [string, unknown] => [
      key,
      typeof value === 'function' ? (value as (index: number) => unknown)(index) : value,
    ])
    return { ...Object.fromEntries(unique), ...one, _id: new ObjectId(String(one['_id'])) }
  })
}

const phone = (index: number) => `1380000000${index}`
const user = {
  phone,
  password: '123456',
  sex: '未知',
  birthday: '',
  sign: '这个人很高冷, 暂时没有留下什么',
  __v: 0,
}
const group = {
  userId: new ObjectId(WIFI),
  groupNumber: (index: number) => 1700078705941 + index,
  sign: '',
  imgUrl: '/group_pic.png',
  creatTime: '2023年11月16日',
  __v: 0,
}

function collections(shown: Shown, others: Collections): Collections {
  shown.refer('userId', { _id: WIFI, phone: '15583251761', sign: '能失去的从来不属于我' })
  shown.refer('groupId', at(example(16), 'data', 'group') ?? null)
  const groups = keep(shown.groups, group).map((one) => ({ ...one, userId: new ObjectId(WIFI) }))
  return { users: keep(shown.users, user), groups, ...others }
}

/** The other directions of friendships; the document shows one of each. */
const mirrored = (rows: MongoDocument[]): MongoDocument[] =>
  rows.map((row, index) => ({
    ...row,
    _id: new ObjectId(`6562424fde6678fd1d5a03${index.toString(16).padStart(2, '0')}`),
    userId: row['friendId'],
    friendId: row['userId'],
  }))

/** What the examples show of people who are friends and members. */
function together(): Collections {
  const shown = new Shown()
  const friends = shown.behind(9, 'data')
  const members = [...shown.behind(16, 'data', 'groupUser'), ...shown.behind(20, 'data').slice(1)]
  const [last] = shown.behind(43, 'data', 1, 'lastMsg')
  return collections(shown, {
    friends: [...friends, ...mirrored(friends)],
    group_users: members,
    private_chats: shown.behind(36, 'data', 'messageList'),
    group_chats: [
      {
        _id: new ObjectId('656466e97171e3582f99c000'),
        userId: new ObjectId(KAPI),
        groupId: new ObjectId(GROUP),
        ...last,
        __v: 0,
      },
    ],
    spaces: shown.behind(31, 'data', 'spaces'),
    notes: shown.behind(46, 'data'),
  })
}

/** What they show of the time before: one has applied to the other, and to the group. */
function apart(): Collections {
  const shown = new Shown()
  const [applied = {}] = shown.behind(11, 'data')
  const [asked] = mirrored([{ ...applied, state: 4 }])
  const owner = shown.behind(16, 'data', 'groupUser').slice(0, 1)
  const [application] = shown.behind(25, 'data')
  const inner = (key: string): MongoDocument[] =>
    [0, 1, 2].flatMap((index) => [0, 1].flatMap((one) => shown.behind(29, 'data', index, key, one)))
  const answers = [0, 1].flatMap((one) => shown.behind(29, 'data', 2, 'replyList', one))
  return collections(shown, {
    friends: [applied, asked ?? {}],
    group_users: [...owner, { ...application, state: 0 }],
    group_chats: shown.behind(37, 'data', 'messageList'),
    spaces: shown.behind(29, 'data').map(({ _id, userId, textDesc, photos, time }) => ({
      ...{ _id, userId, textDesc, photos, time, __v: 0 },
    })),
    space_comments: [...inner('commentList'), ...answers],
  })
}

/** Imports a dump; gives how to compare what the server then answers with an example. */
async function imported(t: Test, dump: Collections, format: Format) {
  const target = await Target.create(t)
  const { code, stdout, stderr } = await runCommand('import', target.url, [
    await writeDump(t, dump, format),
  ])
  t.equal(code, 0, stderr)
  t.notMatch(stdout, /quarantined:/, 'everything found its place')
  const client = (await serve(t, { DATABASE_URL: target.url })).client()
  return async (number: number, query: Record<string, string>, wanted = example(number)) => {
    const { url } = endpoints.find((one) => one.number === number) ?? { url: '' }
    const { text } = await client.get(url, query)
    t.equal(text, JSON.stringify(wanted), `${number} ${url}`)
  }
}

await t.test('friends and members, from a dump of MongoDB', async (t) => {
  const answers = await imported(t, together(), 'bson')
  await answers(4, { _id: WIFI })
  await answers(7, { keyword: 'wifi' })
  await answers(9, { userId: WIFI })
  await answers(16, { groupId: GROUP, userId: WIFI })
  await answers(17, { groupId: GROUP })
  await answers(20, { userId: WIFI })
  await answers(21, { groupId: GROUP, groupLeaderId: WIFI })
  await answers(31, { userId: WIFI })
  await answers(36, { userId: KAPI, friendId: WIFI, pageNum: '1' })
  await answers(36, { userId: KAPI, friendId: WIFI, pageNum: '2' }, example(36, '暂无更多'))
  await answers(37, { userId: KAPI, groupId: GROUP, pageNum: '2' }, example(37, '暂无更多'))
  // Knowing difference No 1: friends carry `unreadMsgCount`.
  await answers(43, { userId: KAPI }, withValue(example(43), ['data', 0, 'unreadMsgCount'], 0))
  await answers(46, { pageNum: '1' })
})

await t.test('applications and moments, from an export of MongoDB', async (t) => {
  const answers = await imported(t, apart(), 'json.gz')
  await answers(11, { userId: WIFI })
  await answers(25, { userId: WIFI })
  await answers(29, { userId: KAPI })
  await answers(
    36,
    { userId: KAPI, friendId: WIFI, pageNum: '1' },
    example(36, '与该用户还不是好友'),
  )
  await answers(37, { userId: WIFI, groupId: GROUP, pageNum: '1' })
  await answers(37, { userId: KAPI, groupId: GROUP, pageNum: '1' }, example(37, '未加入该群'))
})
