import t from 'tap'
import { execute } from '../helpers/databases.ts'
import { PNG } from './files-support.ts'
import { createGroup, joinGroup } from './groups.ts'
import { at, stringAt, type Json } from './json.ts'
import { befriend, online, type Person, register, say, textMessage } from './people.ts'
import { serve } from './server.ts'
import { comment, feedOf, like, publish, reply } from './spaces.ts'

const server = await serve(t)
const client = server.client()
const sql = async (text: string) => {
  if (server.databaseUrl === undefined) throw new Error('needs the database of the server')
  return (await execute(server.databaseUrl, text)).rows as Record<string, unknown>[]
}
const erase = async ({ id }: Person) =>
  (await sql(`select erase_user('${id}') as name`)).map(({ name }) => String(name))

/** Tables that have an id, or any other text, in some row. */
async function tablesWith(text: string): Promise<string[]> {
  const tables = await sql(
    `select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await sql(
      `select from ${String(name)} t where strpos(to_jsonb(t)::text, '${text}') > 0`,
    )
    if (rows.length > 0) found.push(String(name))
  }
  return found
}

const upload = async (path: string, fields: Record<string, string> = {}): Promise<string> => {
  const file = { name: '图.png', data: PNG, type: 'image/png' }
  const { body } = await client.upload(path, { ...fields, file })
  const url = at(body, 'url')
  return typeof url === 'string' ? url : stringAt(body, 'url', 0)
}
const picture = (url: string) => JSON.stringify({ url, height: 1 })
const groupSay = async (from: Person, groupId: string, message: string, msgType = 0) => {
  const socket = await online(t, client, from)
  await socket.emitWithAck('group_chat', textMessage(from, message, msgType), from.id, groupId)
}
const list = async ({ id: userId }: Person) =>
  at((await client.get('/message/list', { userId })).body, 'data') as Json[]

const gone = await register(client, '去者')
const ann = await register(client, '安')
const bob = await register(client, '波')
await befriend(client, gone, ann)
await befriend(client, gone, bob)
await befriend(client, ann, bob)
const dan = await register(client, '丹')
await client.post('/friend/add', { userId: dan.id, friendId: gone.id })
const owned = await createGroup(client, gone, '去者的群')
await joinGroup(client, owned, bob, ann)
const alone = await createGroup(client, gone, '一个人的群')
await client.post('/group/add', { groupId: alone, userId: dan.id })
const joined = await createGroup(client, ann, '安的群')
await joinGroup(client, joined, gone, bob)

const urls = {
  avatar: await upload('/upload/user', { _id: gone.id }),
  photo: await upload('/space/upload/photos'),
  sent: await upload('/chat/private/photo'),
  received: await upload('/chat/private/photo'),
  passedOn: await upload('/chat/private/photo'),
  group: await upload('/upload/group'),
  others: await upload('/chat/private/photo'),
}
await client.post('/update/user', { _id: gone.id, nick: gone.nick, sex: '男', imgUrl: urls.avatar })
const info = { _id: owned, groupName: '去者的群', sign: 'x', imgUrl: urls.group, userId: gone.id }
await client.post('/update/groupInfo', info)
const fromGone = await online(t, client, gone)
const fromAnn = await online(t, client, ann)
const send = (from: Person, to: Person, message: string, msgType = 1) =>
  (from === gone ? fromGone : fromAnn).emitWithAck(
    'private_chat',
    textMessage(from, message, msgType),
    from.id,
    to.id,
  )
await say(fromGone, gone, ann, '私下说的')
await send(gone, ann, picture(urls.sent))
await send(ann, gone, picture(urls.received))
await send(gone, bob, picture(urls.passedOn))
await send(ann, bob, picture(urls.passedOn))
await send(ann, bob, picture(urls.others))
await groupSay(gone, joined, '群里说的')
await groupSay(ann, joined, '安说的')
await groupSay(gone, joined, picture(urls.sent), 1)
await groupSay(gone, owned, '我的群')
await client.post('/space/add', { userId: gone.id, textDesc: '说说', photos: urls.photo })
const [mine] = await feedOf(client, gone, 1)
const hers = await publish(client, ann, '安的说说')
await client.post('/space/comment/add/0', comment(String(mine?._id), ann))
await client.post('/space/comment/add/0', comment(hers, gone, '去者的评论'))
await client.post('/space/comment/add/0', comment(hers, bob, '波的评论'))
const bobs = (await feedOf(client, ann, 1))[0]?.commentList.find(
  ({ textarea }) => textarea === '波的评论',
)
await client.post('/space/comment/add/1', reply(hers, gone, String(bobs?._id), bob, '去者的回复'))
await client.post('/space/comment/add/1', reply(hers, ann, String(bobs?._id), gone, '安的回复'))
await client.post('/space/like', like(hers, gone))
await client.post('/notes/add', { userId: gone.id, text: '去者的便签' })

// What an import would remember of two of the person's documents, and of one that it refused.
await sql(
  `insert into imports (source, dump_digest) values ('dump', '\\x00');
  insert into imported_documents (collection, id, digest, import_id, remainder)
    select 'users'::source_collection, '${gone.id}', '\\x00'::bytea, id, '{"nick": "${gone.nick}"}'::json from imports union all
    select 'friends', f.id, '\\x00', i.id, null from friendships f, imports i
    where user_id = '${gone.id}' and friend_id = '${ann.id}' union all
    select 'users', '${ann.id}', '\\x00', id, null from imports;
  insert into quarantine (collection, digest, reason, document_text, import_id)
    select 'notes', '\\x01', 'id-twice', '{"userId": "${gone.id}"}', id from imports`,
)

await t.test('who is not there cannot be erased', async (t) => {
  await t.rejects(sql(`select erase_user('${'0'.repeat(23)}1')`), /there is no user/)
  await t.rejects(sql(`select erase_user('${'0'.repeat(24)}')`), /stands for everybody/)
  t.ok((await tablesWith(gone.id)).length > 8, 'and everything is there')
})

await t.test('no row of the person is left', async (t) => {
  const before = { ann: await list(ann), bob: await list(bob) }
  const names = await erase(gone)
  const expected = [urls.avatar, urls.photo, urls.sent, urls.received].map((url) => url.slice(1))
  t.same(names.sort(), expected.sort(), 'files that nothing else shows are given back')
  for (const text of [gone.id, gone.phone, gone.nick, '私下说的', '群里说的', '去者的便签']) {
    // The name of a group is its members', who still have it.
    const left = (await tablesWith(text)).filter((table) => !table.startsWith('group'))
    t.same(left, [], text)
  }
  t.same(await tablesWith('去者的评论'), [])
  t.same(await sql('select * from health_problems'), [])
  t.same(await sql('select id from imported_documents'), [{ id: ann.id }], 'others stay')

  const isGone = (entry: Json) => at(entry, '_id') === gone.id
  const shown = (entries: Json[]) =>
    entries.map((entry) => [at(entry, '_id'), at(entry, 'unreadMsgCount')])
  for (const [person, was] of [
    [ann, before.ann],
    [bob, before.bob],
  ] as const) {
    t.ok(was.some(isGone))
    const is = await list(person)
    t.same(shown(is), shown(was.filter((entry) => !isGone(entry))), 'the others count as before')
  }
})

await t.test('in groups the words are gone and their places stay', async (t) => {
  const query = { userId: ann.id, groupId: joined, pageNum: 1 }
  const { body } = await client.get('/message/group', query)
  const nobody = { _id: '0'.repeat(24), nick: '已注销用户', imgUrl: '/user_pic1.jpeg' }
  t.same(
    (at(body, 'data', 'messageList') as Json[]).map((entry) => [
      at(entry, 'userId'),
      at(entry, 'message'),
      at(entry, 'msgType'),
    ]),
    [
      [nobody, '[已删除]', 0],
      [{ _id: ann.id, nick: ann.nick, imgUrl: '/user_pic1.jpeg' }, '安说的', 0],
      [nobody, '[已删除]', 0],
    ],
  )
})

await t.test('groups pass to who joined first, or end', async (t) => {
  const groups = await sql(
    `select id, owner_id, dissolved_at is null as lives, avatar_url from groups order by id`,
  )
  t.same(groups, [
    { id: owned, owner_id: bob.id, lives: true, avatar_url: urls.group },
    { id: alone, owner_id: '0'.repeat(24), lives: false, avatar_url: '/group_pic.png' },
    { id: joined, owner_id: ann.id, lives: true, avatar_url: '/group_pic.png' },
  ])
})

await t.test('what others wrote to the person stays, addressed to nobody', async (t) => {
  const [entry] = await feedOf(client, ann, 1)
  t.same(entry?.likeList, [])
  t.same(
    entry?.commentList.map(({ textarea }) => textarea),
    ['波的评论'],
  )
  t.match(entry?.replyList, [[{ textarea: '安的回复', toId: { _id: '0'.repeat(24) } }]])
})

await t.test('everything goes on without the person', async (t) => {
  const { body } = await client.post('/login', { phone: gone.phone, password: 'secret' })
  t.match(body, { status: 400, msg: '该用户不存在' })
  const erased = await client.post('/login', { phone: 'erased', password: '!' })
  t.not(at(erased.body, 'status'), 200, 'nobody logs in as nobody')
  t.match(await say(fromGone, gone, ann, 'x'), { status: 404 })
  await groupSay(ann, joined, '继续')
  const next = await register(client, '新人', gone.phone)
  await befriend(client, next, ann)
  t.same(await erase(next), [], 'the number is free, and one more can go')
  t.same(await sql('select * from health_problems'), [])
})
