import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { startServer } from '../src/server.ts'
import { readSettings } from '../src/settings.ts'
import { Client } from './contract/client.ts'
import { endpoints } from './contract/contract.ts'
import { createGroup, joinGroup } from './contract/groups.ts'
import { at, stringAt, type Json } from './contract/json.ts'
import { befriend, online, register, say, textMessage, type Person } from './contract/people.ts'
import { comment, like, publish, reply } from './contract/spaces.ts'
import { createTestDatabase } from './helpers/databases.ts'
import { countStatements } from './helpers/statements.ts'

/** Who asks, and what for. */
interface Asking {
  readonly userId: string
  readonly friendId: string
  readonly groupId: string
  readonly groupLeaderId: string
  readonly spaceId: string
}

interface Cost {
  readonly query: (asking: Asking) => Record<string, string>
  /** Statements for a list with something in it, of whatever length. */
  readonly some: number
  /** Statements for whoever has nothing: one more where an unknown user is told apart from that. */
  readonly none: number
}

const own = ({ userId }: Asking) => ({ userId })

/** Every list of the server, and the statements that it takes. */
const COSTS: Record<string, Cost> = {
  '/search': { query: () => ({ keyword: '甲' }), some: 2, none: 2 },
  '/contacts/friend': { query: own, some: 1, none: 2 },
  '/get/friend/noagree': { query: own, some: 1, none: 2 },
  '/home/group': { query: ({ userId, groupId }) => ({ userId, groupId }), some: 2, none: 2 },
  '/get/groupUser': { query: ({ groupId }) => ({ groupId }), some: 2, none: 2 },
  '/contacts/group': { query: own, some: 1, none: 2 },
  '/get/update/group': {
    query: ({ groupId, groupLeaderId }) => ({ groupId, groupLeaderId }),
    some: 2,
    none: 2,
  },
  '/get/group/noagree': { query: own, some: 1, none: 2 },
  '/space/get': { query: own, some: 1, none: 1 },
  '/space/details': {
    query: ({ userId, spaceId }) => ({ userId, spaceId }),
    some: 1,
    none: 1,
  },
  '/message/friend': { query: ({ userId, friendId }) => ({ userId, friendId }), some: 1, none: 1 },
  '/message/group': { query: ({ userId, groupId }) => ({ userId, groupId }), some: 1, none: 2 },
  '/message/list': { query: own, some: 1, none: 2 },
  '/notes/get': { query: () => ({}), some: 1, none: 1 },
}

const database = await createTestDatabase()
const folder = await mkdtemp(join(tmpdir(), 'waifchat-server-'))
const settings = readSettings({ PORT: '0', SOCKET_PORT: '0', DATA_DIR: folder })
const server = await startServer(settings, database.url, pino({ level: 'silent' }))
const counter = countStatements()
t.teardown(async () => {
  counter.stop()
  await server.stop()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})
const client = new Client({ http: server.httpUrl, socket: server.socketUrl })

await t.test('every list that the server answers has its number', async (t) => {
  const lists = endpoints.filter(
    ({ method, responses }) => method === 'GET' && responses.some(({ body }) => showsList(body)),
  )
  t.strictSame(Object.keys(COSTS), [...new Set(lists.map(({ url }) => url))])
})

await t.test('a list takes as many statements for one entry as for many', async (t) => {
  const newcomer = await register(client, '新人')
  const { few, many } = await crowd()
  for (const [url, { query, some, none }] of Object.entries(COSTS)) {
    const cases = [
      ['few', few, some],
      ['many', many, some],
      ['nothing', { ...many, userId: newcomer.id }, none],
    ] as const
    for (const [what, asking, expected] of cases) {
      let status: Json | undefined
      const statements = await counter.statementsOf(async () => {
        status = at((await client.get(url, query(asking))).body, 'status')
      })
      t.equal(statements.length, expected, `${url}: ${what}`, { statements })
      if (what !== 'nothing') t.equal(status, 200, `${url}: ${what} is answered`)
    }
  }
})

await t.test('a change takes a few statements, however much there is', async (t) => {
  const [one, other] = [await register(client, '乙一'), await register(client, '乙二')]
  await befriend(client, one, other)
  const socket = await online(t, client, one)
  await say(socket, one, other, '一')
  const stranger = await register(client, '乙三')
  const { groupId } = (await crowd()).few
  const changes: [statements: number, url: string, body: Record<string, string>][] = [
    // Begin, lock, look, write, commit, and the counts that are sent.
    [7, '/friend/add', { userId: stranger.id, friendId: one.id }],
    [6, '/create/group', { userId: one.id, groupName: '乙群', sign: '无', imgUrl: '' }],
    [7, '/group/add', { userId: one.id, groupId }],
    [1, '/notes/add', { userId: one.id, text: '便签' }],
  ]
  for (const [most, url, body] of changes) {
    const statements = await counter.statementsOf(() => client.post(url, body))
    t.ok(statements.length <= most, `${url}: ${statements.length}`, { statements })
  }
  const read = { userId: other.id, id: one.id }
  t.equal((await counter.statementsOf(() => client.get('/message/read/friend', read))).length, 1)
  socket.close()
})

await t.test('a message takes one statement', async (t) => {
  const [one, other] = [await register(client, '丙一'), await register(client, '丙二')]
  await befriend(client, one, other)
  const socket = await online(t, client, one)
  for (let n = 0; n < 3; n += 1) {
    const names = await counter.namesDuring(() => say(socket, one, other, String(n)))
    // Twice a second it is looked for what other processes have stored.
    t.same(
      names.filter((name) => !name.startsWith('live_')),
      ['messages_store'],
    )
  }
  socket.close()
})

/** Whether a body has a list that is not one of failed rules. */
function showsList(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (!Array.isArray(value)) return Object.values(value).some(showsList)
  return value.some((entry) => at(entry, 'type') !== 'field')
}

/** One person with one of everything, and one with several of everything. */
async function crowd(): Promise<{ few: Asking; many: Asking }> {
  const nicks = ['甲一', '甲二', '甲三', '甲四', '甲五', '甲六']
  const [one, other, ...others] = (await Promise.all(
    nicks.map((nick) => register(client, nick)),
  )) as [Person, Person, ...Person[]]
  await live(one, other)
  for (const person of [one, ...others]) await live(other, person)
  return { few: await askingOf(one, other), many: await askingOf(other, one) }
}

/** They become friends if they are not, talk, meet in a group, and read about each other. */
async function live(someone: Person, friend: Person): Promise<void> {
  const applicant = await register(client, '申请人')
  await client.post('/friend/add', { userId: applicant.id, friendId: someone.id })
  await client.post('/friend/add', { userId: applicant.id, friendId: friend.id })
  await befriend(client, someone, friend)
  const groupId = await createGroup(client, someone, '甲群')
  await joinGroup(client, groupId, friend)
  await client.post('/group/add', { groupId, userId: applicant.id })
  const socket = await online(t, client, someone)
  for (const text of ['一', '二']) {
    await say(socket, someone, friend, text)
    await socket.emitWithAck('group_chat', textMessage(someone, text), someone.id, groupId)
  }
  socket.close()
  await client.post('/notes/add', { userId: someone.id, text: '便签' })
  const spaceId = await publish(client, someone, '动态')
  for (const by of [someone, friend]) {
    await client.post('/space/like', like(spaceId, by))
    await client.post('/space/comment/add/0', comment(spaceId, by))
  }
  const { body } = await client.get('/space/get', { userId: someone.id, pageNum: 1 })
  const commentId = stringAt(body, 'data', 0, 'commentList', -1, '_id')
  await client.post('/space/comment/add/1', reply(spaceId, friend, commentId, someone))
}

async function askingOf(someone: Person, friend: Person): Promise<Asking> {
  const { body: groups } = await client.get('/contacts/group', { userId: someone.id })
  const { body: feed } = await client.get('/space/get', { userId: someone.id })
  const groupId = stringAt(groups, 'data', 0, 'groupId', '_id')
  const { body: home } = await client.get('/home/group', { userId: someone.id, groupId })
  return {
    userId: someone.id,
    friendId: friend.id,
    groupId,
    groupLeaderId: stringAt(home, 'data', 'group', 'userId'),
    spaceId: stringAt(feed, 'data', 0, '_id'),
  }
}
