/** Import of an export is the identity for what people did on the server itself. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createGroup, joinGroup } from '../contract/groups.ts'
import { befriend, online, register, say, textMessage } from '../contract/people.ts'
import { serve } from '../contract/server.ts'
import { comment, feedOf, like, publish, reply } from '../contract/spaces.ts'
import { execute } from '../helpers/databases.ts'
import { content, Target, temporaryFolder } from './support.ts'

const server = await serve(t)
const client = server.client()
const url = server.databaseUrl ?? ''

const ann = await register(client, '安')
const bob = await register(client, '波')
const dan = await register(client, '丹')
const gone = await register(client, '去者')
const sockets = {
  ann: await online(t, client, ann),
  bob: await online(t, client, bob),
  dan: await online(t, client, dan),
  gone: await online(t, client, gone),
}
type Name = keyof typeof sockets
const people = { ann, bob, dan, gone }
const tell = (from: Name, to: Name, text: string) =>
  say(sockets[from], people[from], people[to], text)
const tellGroup = (from: Name, groupId: string, text: string) =>
  sockets[from].emitWithAck('group_chat', textMessage(people[from], text), people[from].id, groupId)
const read = (userId: string, friendId: string) =>
  client.get('/message/read/friend', { userId, id: friendId })

await befriend(client, ann, bob)
await befriend(client, ann, dan)
await befriend(client, ann, gone)
await client.post('/friend/add', { userId: dan.id, friendId: bob.id })
await tell('ann', 'bob', '一')
await tell('bob', 'ann', '二')
await read(ann.id, bob.id)
await tell('ann', 'bob', '三')
await tell('bob', 'ann', '四')
await tell('ann', 'dan', '分手前')
await client.get('/del/friend', { userId: ann.id, friendId: dan.id })
await befriend(client, dan, ann)
await tell('dan', 'ann', '重逢')
await tell('gone', 'ann', '要删除的')

const club = await createGroup(client, gone, '俱乐部')
await joinGroup(client, club, bob, ann)
await tellGroup('ann', club, '群一')
await tellGroup('gone', club, '群二')
await client.get('/del/groupUser', { userId: bob.id, groupId: club })
await joinGroup(client, club, bob)
await tellGroup('bob', club, '回来')
await tellGroup('ann', club, '群三')
const alone = await createGroup(client, gone, '一个人')
await client.post('/group/add', { groupId: alone, userId: dan.id })
const ended = await createGroup(client, ann, '解散的')
await tellGroup('ann', ended, '再见')
await client.get('/del/group', { groupId: ended })

const moment = await publish(client, ann, '说说')
await client.post('/space/comment/add/0', comment(moment, bob, '波的评论'))
const [entry] = await feedOf(client, ann, 1)
const bobs = String(entry?.commentList[0]?._id)
await client.post('/space/comment/add/1', reply(moment, gone, bobs, bob, '去者的回复'))
await client.post('/space/comment/add/1', reply(moment, ann, bobs, gone, '安的回复'))
await client.post('/space/like', like(moment, dan))
await client.post('/notes/add', { userId: ann.id, text: '便签' })
await execute(url, `select erase_user('${gone.id}')`)
// The clock was set back: what was said later has an earlier time.
await execute(
  url,
  `update messages set sent_at = sent_at - interval '1 hour' where body in ('四', '回来', '重逢')`,
)

await t.test('what was done here is all there', async (t) => {
  const [row] = await Target.at(url).rows(
    `select (select count(*) from friendships where start_seq > 0)::int as again,
      (select count(*) from group_members where start_seq > 0)::int as joined,
      (select count(*) from groups where dissolved_at is not null)::int as dissolved,
      (select count(*) from unread_proof where unread > 0)::int as unread,
      (select count(*) from comments where recipient_id = repeat('0', 24))::int as nobodys,
      (select count(*) from messages)::int as messages`,
  )
  t.match(row, { dissolved: 2, nobodys: 1, messages: 11 })
  for (const what of ['again', 'joined', 'unread']) t.ok(Number(row?.[what]) > 0, what)
})

await t.test('an empty database gets all columns of all rows from an export', async (t) => {
  const [source, other] = [Target.at(url), await Target.create(t)]
  const folder = join(await temporaryFolder(t), 'export')
  await source.export(folder)
  await other.import(folder)
  t.strictSame(await content(other), await content(source))
  const verification = await other.verify(folder)
  t.equal(verification.passed, true, verification.toString())
  t.strictSame(await other.rows('select * from health_problems'), [])
})

await t.test('messages and notes have the text of a time, as the original writes it', async (t) => {
  const folder = join(await temporaryFolder(t), 'export')
  await Target.at(url).export(folder)
  for (const name of ['private_chats', 'group_chats', 'notes']) {
    const lines = (await readFile(join(folder, `${name}.json`), 'utf8')).trim().split('\n')
    const times = lines.map((line) => (JSON.parse(line) as { time: unknown }).time)
    t.ok(times.length > 0)
    for (const time of times) {
      t.match(time, /^\w{3} \w{3} \d\d \d{4} \d\d:\d\d:\d\d GMT\+0800 \(中国标准时间\)$/)
    }
  }
})
