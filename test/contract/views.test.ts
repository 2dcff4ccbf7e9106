import t from 'tap'
import { execute } from '../helpers/databases.ts'
import { PNG, randomFile, sendChunks } from './files-support.ts'
import { createGroup, joinGroup } from './groups.ts'
import { at, type Json } from './json.ts'
import { befriend, online, type Person, register, say, textMessage } from './people.ts'
import { serve } from './server.ts'
import { comment, publish } from './spaces.ts'

const server = await serve(t, { TIMEZONE: 'Asia/Shanghai' })
const client = server.client()

/** Rows of a view, with its numbers as numbers. */
async function rowsOf(query: string): Promise<Record<string, unknown>[]> {
  if (server.databaseUrl === undefined) throw new Error('needs the database of the server')
  const { rows, fields } = await execute(server.databaseUrl, query)
  const numbers = new Set(fields.filter(({ dataTypeID }) => dataTypeID === 20).map((f) => f.name))
  return (rows as Record<string, unknown>[]).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        numbers.has(name) && value !== null ? Number(value) : value,
      ]),
    ),
  )
}

/** The list that an endpoint answers. */
async function list(path: string, query: Record<string, string>): Promise<Json[]> {
  return at((await client.get(path, query)).body, 'data') as Json[]
}

const [ann, bob, cai, dan] = [
  await register(client, '安'),
  await register(client, '波'),
  await register(client, '才'),
  await register(client, '丹'),
]
const everybody = [ann, bob, cai, dan]
await befriend(client, ann, bob)
await befriend(client, cai, ann)
await client.post('/friend/add', { userId: dan.id, friendId: ann.id })
const group = await createGroup(client, ann, '读书群')
await joinGroup(client, group, bob, cai)
await client.post('/group/add', { groupId: group, userId: dan.id })
const ended = await createGroup(client, bob, '散了的群')

const [fromAnn, fromBob] = [await online(t, client, ann), await online(t, client, bob)]
const sayTo = (groupId: string, from: Person, text: string) =>
  (from === ann ? fromAnn : fromBob).emitWithAck(
    'group_chat',
    textMessage(from, text),
    from.id,
    groupId,
  )
await say(fromAnn, ann, bob, '一')
await say(fromBob, bob, ann, '二')
await say(fromBob, bob, ann, '三')
await say(fromAnn, ann, cai, '四')
await sayTo(group, bob, '五')
await sayTo(group, ann, '六六六六')
await sayTo(ended, bob, '七')
await client.get('/del/group', { groupId: ended, userId: bob.id })
await client.get('/message/read/friend', { userId: bob.id, id: ann.id })
const ids = { low: ann.id, high: bob.id }

await t.test('message_list is what the client is shown', async (t) => {
  for (const { id } of everybody) {
    const rows = await rowsOf(`select * from message_list where user_id = '${id}'
      order by last_sent_at desc, last_position desc`)
    const shown = await list('/message/list', { userId: id })
    t.same(
      rows.map((row) => ({
        _id: row['friend_id'] ?? row['group_id'],
        name: row['name'],
        message: row['last_body'],
        unread: row['unread'],
        type: row['kind'] === 'private' ? 'friendChat' : 'groupChat',
      })),
      shown.map((entry) => ({
        _id: at(entry, '_id'),
        name: at(entry, 'nick') ?? at(entry, 'groupName'),
        message: at(entry, 'lastMsg', 'message'),
        unread: at(entry, 'unreadMsgCount'),
        type: at(entry, 'type'),
      })),
    )
  }
  t.equal((await rowsOf('select * from message_list')).length, 7)
})

await t.test('unread_by_user is the sum of what the client is shown, and counted', async (t) => {
  const rows = await rowsOf('select * from unread_by_user order by user_id')
  const sums = await Promise.all(
    everybody.map(async ({ id, nick }) => {
      const shown = await list('/message/list', { userId: id })
      const counts = shown.map((entry) => Number(at(entry, 'unreadMsgCount')))
      const unread = counts.reduce((sum, count) => sum + count, 0)
      const among = counts.filter((count) => count > 0).length
      return { user_id: id, nick, unread, recounted: unread, unread_conversations: among }
    }),
  )
  t.same(rows, sums)
  t.same(
    sums.map(({ unread }) => unread),
    [3, 1, 3, 0],
  )
})

await t.test('conversation_overview names every conversation', async (t) => {
  const rows = await rowsOf(`select name, low_user_id, high_user_id, group_id, is_open, messages,
    last_message_at is not null as spoken from conversation_overview order by conversation_id`)
  const nobody = { low_user_id: null, high_user_id: null }
  t.same(rows, [
    {
      ...{ name: '安 / 波', low_user_id: ids.low, high_user_id: ids.high, group_id: null },
      ...{ is_open: true, messages: 3, spoken: true },
    },
    {
      ...{ name: '安 / 才', low_user_id: ann.id, high_user_id: cai.id, group_id: null },
      ...{ is_open: true, messages: 1, spoken: true },
    },
    { name: '读书群', ...nobody, group_id: group, is_open: true, messages: 2, spoken: true },
    { name: '散了的群', ...nobody, group_id: ended, is_open: false, messages: 1, spoken: true },
  ])
})

await t.test('group_membership is who is in a group, and who waits', async (t) => {
  const rows = await rowsOf('select * from group_membership order by joined_at, applied_at')
  const { body } = await client.get('/get/groupUser', { groupId: group })
  const shown = at(body, 'data', 'groupUser') as Json[]
  t.same(
    rows.filter(({ role }) => role !== 'applicant').map(({ user_id, nick }) => [user_id, nick]),
    shown.map((entry) => [at(entry, 'userId', '_id'), at(entry, 'userId', 'nick')]),
  )
  t.same(
    rows.map(({ nick, role, messages_sent, unread }) => [nick, role, messages_sent, unread]),
    [
      ['安', 'owner', 1, 1],
      ['波', 'member', 1, 1],
      ['才', 'member', 0, 2],
      ['丹', 'applicant', 0, null],
    ],
  )
  const waiting = await list('/get/group/noagree', { userId: ann.id })
  t.same(
    waiting.map((entry) => at(entry, 'userId', '_id')),
    [dan.id],
  )
  t.ok(rows.every(({ group_id, group_name }) => group_id === group && group_name === '读书群'))
})

await t.test('friendship_pairs has each two people once, and says what is wrong', async (t) => {
  const pairs = `select low_nick, high_nick, low_state, high_state, asymmetry
    from friendship_pairs order by applied_at, high_user_id`
  const sound = await rowsOf(pairs)
  t.same(
    sound.map((row) => Object.values(row)),
    [
      ['安', '波', 'accepted', 'accepted', null],
      ['安', '才', 'accepted', 'accepted', null],
      ['安', '丹', 'received', 'requested', null],
    ],
  )
  const friends = await list('/contacts/friend', { userId: ann.id })
  t.equal(friends.length, sound.filter(({ low_state }) => low_state === 'accepted').length)
  const breaches: [sql: string, asymmetry: string][] = [
    [`delete from friendships where user_id = '${ids.low}'`, 'the row of high is alone'],
    [`delete from friendships where user_id = '${ids.high}'`, 'the row of low is alone'],
    [
      `update friendships set state = 'received' where user_id = '${ids.high}'`,
      'the states do not match',
    ],
    [
      `update friendships set conversation_id = 3 where user_id = '${ids.high}'`,
      'the conversations differ',
    ],
  ]
  for (const [sql, asymmetry] of breaches) {
    // Several statements at once are one transaction; the last one takes the first ones back.
    const all = `begin; set local session_replication_role = 'replica'; ${sql};
      select low_nick, high_nick, asymmetry from friendship_pairs
      where asymmetry is not null and high_nick = '波'; rollback`
    const results = (await execute(server.databaseUrl ?? '', all)) as unknown
    const { rows } = (results as { rows: unknown[] }[])[3] ?? { rows: [] }
    t.same(rows, [{ low_nick: '安', high_nick: '波', asymmetry }])
  }
})

await t.test('storage_by_user counts files and messages', async (t) => {
  const picture = { file: { name: '图.png', data: PNG, type: 'image/png' } }
  await client.upload('/upload/user', { ...picture, _id: bob.id })
  await client.upload('/chat/private/photo', picture)
  const file = randomFile(1_000)
  await sendChunks(client, file)
  await client.post('/merge/private', { fileHash: file.hash, fileName: '书.bin', size: 1_000 })
  const rows = await rowsOf('select * from storage_by_user order by user_id')
  const bytes = async (id: string) => {
    const [row] = await rowsOf(`select sum(octet_length(body))::int as length, count(*)::int
      from messages where sender_id = '${id}'`)
    // Short texts are stored as they are, after one byte that has their length.
    return Number(row?.['length']) + Number(row?.['count'])
  }
  const shown = rows.map(({ nick, files, file_bytes, messages, message_bytes, total_bytes }) => [
    ...[nick, files, file_bytes, messages, message_bytes, total_bytes],
  ])
  const [annBytes, bobBytes] = [await bytes(ann.id), await bytes(bob.id)]
  t.same(shown, [
    ['安', 0, 0, 3, annBytes, annBytes],
    ['波', 1, PNG.length, 4, bobBytes, PNG.length + bobBytes],
    ['才', 0, 0, 0, 0, 0],
    ['丹', 0, 0, 0, 0, 0],
    ['(unknown)', 2, PNG.length + 1_000, 0, 0, PNG.length + 1_000],
  ])
})

await t.test('daily_activity counts what happened, by the day of the session', async (t) => {
  const space = await publish(client, ann, '今天')
  await client.post('/space/comment/add/0', comment(space, bob))
  await client.post('/notes/add', { userId: cai.id, text: '便签' })
  const rows = await rowsOf('select * from daily_activity')
  const total = (column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0)
  t.same(
    ['messages', 'private_messages', 'group_messages', 'new_users', 'spaces', 'comments'].map(
      total,
    ),
    [7, 4, 3, 4, 1, 1],
  )
  t.same(['notes', 'files', 'file_bytes'].map(total), [1, 3, 2 * PNG.length + 1_000])
  t.equal(Math.max(...rows.map(({ senders }) => Number(senders))), 2)

  await execute(
    server.databaseUrl ?? '',
    `update messages set sent_at = '2023-11-28T20:00:00Z' where body = '一'`,
  )
  const day = async (zone: string) => {
    const all = `set timezone = '${zone}'; select day::text, messages::int, senders::int
      from daily_activity where day < '2024-01-01'`
    const results = (await execute(server.databaseUrl ?? '', all)) as unknown
    return (results as { rows: unknown[] }[])[1]?.rows
  }
  t.same(await day('UTC'), [{ day: '2023-11-28', messages: 1, senders: 1 }])
  t.same(await day('Asia/Shanghai'), [{ day: '2023-11-29', messages: 1, senders: 1 }])
})
