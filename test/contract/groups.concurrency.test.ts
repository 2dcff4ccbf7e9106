import t from 'tap'
import { execute } from '../helpers/databases.ts'
import { assertUnreadCounts } from '../helpers/unread.ts'
import { expectAnswer } from './coverage.ts'
import { createGroup, joinGroup } from './groups.ts'
import { at, stringAt, type Json } from './json.ts'
import { register, type Person } from './people.ts'
import { serve } from './server.ts'
import type { Connection } from './socket.ts'

const NOBODY = '0123456789abcdef01234567'

const server = await serve(t)
const client = server.client()

const say = (socket: Connection, { id }: Person, groupId: string, message: string) =>
  socket.emitWithAck('group_chat', { msgType: 0, message }, id, groupId)
/** What a socket was sent in a group; all that was sent before has arrived. */
const heard = async (socket: Connection, groupId: string) => {
  await socket.emitWithAck('join_group', NOBODY)
  const chats = socket.received('group_chat').map(([data = null]) => data)
  return chats.filter((data) => at(data, 'toId') === groupId).map((data) => at(data, 'message'))
}
const device = async ({ id }: Person) => {
  const socket = await client.connect()
  await socket.login(id)
  t.teardown(() => socket.close())
  return socket
}

await t.test('50 messages at once: everybody sees them in the order of the history', async (t) => {
  const people: Person[] = []
  for (const nick of ['甲', '乙', '丙', '丁', '戊']) people.push(await register(client, nick))
  const [owner] = people as [Person]
  const groupId = await createGroup(client, owner, '五十')
  await joinGroup(client, groupId, ...people.slice(1))
  const devices = await Promise.all(people.map(device))
  const texts: string[] = []
  const acks = devices.flatMap((socket, index) =>
    Array.from({ length: 10 }, (_, nth) => {
      texts.push(`${index}-${nth}`)
      return say(socket, people[index] as Person, groupId, `${index}-${nth}`)
    }),
  )
  for (const ack of await Promise.all(acks)) t.equal(at(ack, 'status'), 200)

  const history: string[] = []
  for (const pageNum of [3, 2, 1]) {
    const { body } = await client.get('/message/group', { groupId, userId: owner.id, pageNum })
    for (const row of at(body, 'data', 'messageList') as Json[]) {
      history.push(stringAt(row, 'message'))
    }
  }
  t.same(history.toSorted(), texts.toSorted(), 'each is there once')
  for (const [index, socket] of devices.entries()) {
    const ownOnes = history.filter((text) => text.startsWith(`${index}-`))
    t.same(ownOnes, ownOnes.toSorted(), 'one’s own in the order in which they were sent')
    const others = history.filter((text) => !ownOnes.includes(text))
    t.same(await heard(socket, groupId), others)
    t.equal(socket.received('unread_message').length, 40)
  }
  if (server.databaseUrl !== undefined) await assertUnreadCounts(server.databaseUrl)
})

await t.test('dissolving while others apply and send leaves nothing half done', async (t) => {
  const owner = await register(client, '群主')
  const member = await register(client, '成员')
  const applicants: Person[] = []
  for (const nick of ['一', '二', '三', '四']) applicants.push(await register(client, nick))
  const socket = await device(member)
  const ownersSocket = await device(owner)
  for (const round of [1, 2, 3, 4, 5]) {
    const groupId = await createGroup(client, owner, `解散${round}`)
    await joinGroup(client, groupId, member)
    await client.post('/group/add', { groupId, userId: applicants[0]?.id })
    const sent = Array.from({ length: 10 }, (_, nth) => say(socket, member, groupId, `第${nth}`))
    const applied = applicants.map(({ id }) => client.post('/group/add', { groupId, userId: id }))
    const agreed = client.post('/group/agree', { groupId, userId: applicants[0]?.id })
    const dissolved = client.get('/del/group', { groupId })
    expectAnswer(t, await dissolved, 24, 'success')
    const acks = await Promise.all(sent)
    await Promise.all([...applied, agreed])

    const stored = acks.filter((ack) => at(ack, 'status') === 200).length
    const refused = acks.filter((ack) => at(ack, 'status') === 404).length
    t.equal(stored + refused, 10)
    const texts = Array.from({ length: stored }, (_, nth) => `第${nth}`)
    t.same(await heard(ownersSocket, groupId), texts, 'what was stored was delivered')
    if (server.databaseUrl === undefined) continue
    const { rows } = await execute(
      server.databaseUrl,
      `select m.body from messages m join conversations c on c.id = m.conversation_id
      where c.group_id = '${groupId}' order by m.seq`,
    )
    t.same(
      rows.map(({ body }: { body: string }) => body),
      texts,
      'its messages stay',
    )
    const left = `select id from group_members where group_id = '${groupId}'
      union all select group_id from group_name_suffixes where group_id = '${groupId}'`
    t.same((await execute(server.databaseUrl, left)).rows, [], 'nothing else does')
  }
})

await t.test('who comes and goes hears exactly what is said in between', async (t) => {
  const { databaseUrl } = server
  if (databaseUrl === undefined) return t.pass('needs the database')
  // The order in which the database made the changes is the truth to compare with.
  await execute(
    databaseUrl,
    `create table happened (nth bigserial, what text, whose text);
    create function note_message() returns trigger language plpgsql as $$ begin
      insert into happened (what, whose) values (new.body, new.sender_id); return null;
    end $$;
    create function note_member() returns trigger language plpgsql as $$ begin
      if old.state = 'member' then
        insert into happened (what, whose) values ('left', old.user_id); return null;
      end if;
      insert into happened (what, whose) values ('joined', new.user_id); return null;
    end $$;
    create trigger note_message after insert on messages for each row execute function note_message();
    create trigger note_joined after update of state on group_members for each row execute function note_member();
    create trigger note_left after delete on group_members for each row execute function note_member()`,
  )
  const owner = await register(client, '群主')
  const talker = await register(client, '话多')
  const comer = await register(client, '来去')
  const talkers = [await device(talker), await device(talker)]
  const devices = [await device(comer), await device(comer)]
  const groupId = await createGroup(client, owner, '来来去去')
  await joinGroup(client, groupId, talker)
  const member = { groupId, userId: comer.id }

  let spoken = 0
  const talk = () => talkers.map((socket) => say(socket, talker, groupId, `话${spoken++}`))
  for (let round = 0; round < 30; round++) {
    await client.post('/group/add', member)
    const joining = [...talk(), client.post('/group/agree', member), ...talk(), ...talk()]
    await Promise.all(joining)
    const leaving = client.get('/del/groupUser', member)
    await Promise.all([...talk(), leaving, ...talk(), ...talk()])
  }

  const { rows } = await execute(databaseUrl, 'select what, whose from happened order by nth')
  const wanted: string[] = []
  let inside = false
  for (const { what, whose } of rows as { what: string; whose: string }[]) {
    if (whose === comer.id) inside = what === 'joined'
    else if (inside && whose === talker.id && what !== 'joined') wanted.push(what)
  }
  t.ok(wanted.length > 0 && wanted.length < spoken, `${wanted.length} of ${spoken} were heard`)
  for (const socket of devices) t.same(await heard(socket, groupId), wanted)
  await assertUnreadCounts(databaseUrl)
})

await t.test('a change whose end is not known makes the devices ask again', async (t) => {
  const { databaseUrl } = server
  if (databaseUrl === undefined) return t.pass('needs the database')
  const owner = await register(client, '群主')
  const member = await register(client, '成员')
  const socket = await device(member)
  const ownersSocket = await device(owner)
  const groupId = await createGroup(client, owner, '不明')
  await joinGroup(client, groupId, member)
  // The connection is lost at the very commit.
  await execute(
    databaseUrl,
    `create function lose_connection() returns trigger language plpgsql as $$ begin
      perform pg_terminate_backend(pg_backend_pid()); return null;
    end $$;
    create constraint trigger lose_connection after delete on group_members
      deferrable initially deferred for each row execute function lose_connection()`,
  )
  const cut = socket.disconnected()
  const removal = { groupId, userId: member.id }
  expectAnswer(t, await client.get('/del/groupUser', removal), 23, 'error')
  await cut
  await execute(databaseUrl, 'drop trigger lose_connection on group_members')
  await socket.connected()
  await socket.login(member.id)
  await say(ownersSocket, owner, groupId, '还在')
  t.same(await heard(socket, groupId), ['还在'])
  t.equal(ownersSocket.socket.connected, true, 'nobody else is cut')
  expectAnswer(t, await client.get('/del/groupUser', removal), 23, 'success')
})
