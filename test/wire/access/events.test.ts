/** The access matrix of the eight events: what they declare, and what the server does. */
import t from 'tap'
import { io } from 'socket.io-client'
import { Client, electron } from '../../contract/client.ts'
import { NOBODY } from '../../contract/inputs.ts'
import { expectAck } from '../../contract/coverage.ts'
import { events, type ClientEvent } from '../../contract/events.ts'
import { at } from '../../contract/json.ts'
import { online, say, textMessage } from '../../contract/people.ts'
import { watchedServer } from './server.ts'
import { accessLines, rolesOf } from './table.ts'
import { worthlessTokens } from './tokens.ts'
import { type Actor, actorsIn, makePeople, makeThings, type Player } from './world.ts'

/** What each event is sent with, as `me` and about the owner's things. */
const argumentsOf = (me: Player, owner: Player, group: string) =>
  ({
    login: [me.id],
    private_chat: [textMessage(me, '你好'), me.id, owner.id],
    join_group: [group],
    group_chat: [textMessage(me, '大家好'), me.id, group],
    init_apply_notice: [me.id],
    apply_notice: [owner.id],
    agree_apply: [owner.id],
    logout: [''],
  }) satisfies Record<ClientEvent, unknown[]>

for (const mode of ['token', 'open'] as const) {
  await t.test(`every event does what it declares, in ${mode} mode`, async (t) => {
    const { server, addresses, fingerprint } = await watchedServer(t, mode)
    const people = await makePeople(addresses)
    const { owner, stranger } = people.actors
    const { group } = await makeThings(people)
    const declared = accessLines(server.access).filter(({ number }) => number === undefined)
    t.same(
      declared.map(({ name }) => name),
      events.map(({ name }) => name),
    )

    for (const [what, token] of worthlessTokens(owner, stranger)) {
      const handshake = new Client({ ...addresses, token }).connect()
      await t.rejects(handshake, { message: 'refused: 登录已失效, 请重新登录' }, `a token ${what}`)
    }
    if (mode === 'token') await t.rejects(new Client(addresses).connect(), { message: /^refused/ })

    for (const { name: event, access } of declared as { name: ClientEvent; access: unknown }[]) {
      const restricted = access as Exclude<(typeof declared)[number]['access'], string>
      const roles = rolesOf(restricted)
      const may = new Set(
        roles.length === 0
          ? Object.keys(people.actors)
          : roles.flatMap(([role, parameter]) => actorsIn(role, parameter, event)),
      )
      for (const [actor, me] of Object.entries(people.actors) as [Actor, Player][]) {
        // Left open: what a closing socket writes must not be taken for the event's.
        const socket = await online(t, me.client, event === 'init_apply_notice' ? undefined : me)
        const before = await fingerprint()
        const ack = await socket.emitWithAck(event, ...argumentsOf(me, owner, group)[event])
        const status = may.has(actor) ? 200 : (restricted.otherwise ?? 403)
        t.comment(`${event} as ${actor}`)
        expectAck(t, event, ack, status)
        if (status !== 200) t.equal(await fingerprint(), before, 'nothing was stored')
      }
      if (restricted.as === undefined) continue
      for (const loggedIn of [true, false]) {
        // Logged in, init_apply_notice answers that person's counts, whatever the argument.
        if (loggedIn && event === 'init_apply_notice') continue
        const socket = await online(t, stranger.client)
        if (loggedIn) await socket.login(stranger.id)
        const since = await fingerprint()
        const ack = await socket.emitWithAck(
          event,
          ...argumentsOf(owner, people.actors.friend, group)[event],
        )
        expectAck(t, event, ack, 403)
        t.equal(await fingerprint(), since, `${event} as somebody else: nothing was stored`)
      }
    }
  })
}

await t.test('an unknown id is answered like a foreign one', async (t) => {
  const { addresses } = await watchedServer(t, 'token')
  const people = await makePeople(addresses)
  const { owner, stranger } = people.actors
  const { group } = await makeThings(people)
  // That people and groups exist is public, and behaviour.md 8 has a status for those that do not.
  const tellOfExistence = new Set<ClientEvent>(['join_group', 'apply_notice', 'agree_apply'])
  for (const { name } of events) {
    const socket = await online(t, stranger.client)
    const acks = []
    for (const { id, gId } of [
      { id: owner.id, gId: group },
      { id: NOBODY, gId: NOBODY },
    ]) {
      const them = { ...owner, id }
      acks.push(await socket.emitWithAck(name, ...argumentsOf(them, them, gId)[name]))
    }
    if (tellOfExistence.has(name)) expectAck(t, name, acks[1] ?? null, 404)
    else t.same(acks[1], acks[0], name)
  }
  const socket = await online(t, stranger.client, stranger)
  for (const [name, status, ...args] of [
    ['private_chat', 202, textMessage(stranger, '你好'), stranger.id, owner.id],
    ['private_chat', 404, textMessage(stranger, '你好'), stranger.id, NOBODY],
    ['group_chat', 202, textMessage(stranger, '你好'), stranger.id, group],
    ['group_chat', 404, textMessage(stranger, '你好'), stranger.id, NOBODY],
  ] as const) {
    expectAck(t, name, await socket.emitWithAck(name, ...args), status)
  }
})

await t.test(
  'who logs out, is removed or is no friend any more hears and says nothing',
  async (t) => {
    const { addresses } = await watchedServer(t, 'token')
    const people = await makePeople(addresses)
    const { owner, member, friend } = people.actors
    const { group } = await makeThings(people)
    const [owners, members, friends] = [
      await online(t, owner.client, owner),
      await online(t, member.client, member),
      await online(t, friend.client, friend),
    ]
    const sayInGroup = (socket: typeof owners, by: Player, text: string) =>
      socket.emitWithAck('group_chat', textMessage(by, text), by.id, group)
    expectAck(t, 'group_chat', await sayInGroup(owners, owner, '一'), 200)
    await members.next('group_chat')

    await owner.client.get('/del/groupUser', { groupId: group, userId: member.id })
    expectAck(t, 'group_chat', await sayInGroup(members, member, '还在'), 202)
    expectAck(t, 'join_group', await members.emitWithAck('join_group', group), 202)
    expectAck(t, 'group_chat', await sayInGroup(owners, owner, '二'), 200)

    const [userId, friendId] = [owner.id, friend.id]
    expectAck(t, 'private_chat', await say(friends, friend, owner, '在吗'), 200)
    await owner.client.get('/del/friend', { userId, friendId })
    expectAck(t, 'private_chat', await say(friends, friend, owner, '在吗'), 202)
    await owner.client.post('/friend/add', { userId, friendId })
    await friend.client.post('/friend/agree', { userId: friendId, friendId: userId })

    await friends.emitWithAck('logout', '')
    expectAck(t, 'private_chat', await say(owners, owner, friend, '还在吗'), 200)
    expectAck(t, 'apply_notice', await owners.emitWithAck('apply_notice', friend.id), 200)
    expectAck(t, 'private_chat', await say(friends, owner, friend, '冒充'), 403)
    expectAck(t, 'login', await friends.emitWithAck('login', owner.id), 403)
    // Whatever was sent to them before this has arrived by now.
    await friends.login(friend.id)
    expectAck(t, 'private_chat', await say(owners, owner, friend, '回来了'), 200)
    const [message = null] = await friends.next('private_chat')
    t.equal(at(message, 'message'), '回来了')
    t.equal(friends.received('private_chat').length, 1)
    t.same(
      members.received('group_chat').map(([one = null]) => at(one, 'message')),
      ['一'],
    )
  },
)

await t.test('the secret of a session is worth nothing with the token of another', async (t) => {
  const { addresses } = await watchedServer(t, 'token')
  const people = await makePeople(addresses)
  const { owner, friend, stranger } = people.actors
  const owners = await online(t, owner.client, owner)
  const friends = await online(t, friend.client, friend)
  expectAck(t, 'private_chat', await say(friends, friend, owner, '一'), 200)
  await owners.next('unread_message')
  const stolen = owners.socket as unknown as { _pid: string; _lastOffset: string }
  t.type(stolen._pid, 'string')
  const auth = { token: stranger.token, pid: stolen._pid, offset: '0' }
  const thief = io(addresses.socket, { forceNew: true, auth, extraHeaders: electron })
  t.teardown(() => thief.disconnect())
  const heard: string[] = []
  thief.onAny((event: string) => heard.push(event))
  await new Promise((resolve) => thief.once('connect', () => resolve(undefined)))
  expectAck(t, 'private_chat', await say(friends, friend, owner, '二'), 200)
  const message = [textMessage(owner, '冒充'), owner.id, friend.id]
  const ack = (await thief.timeout(10_000).emitWithAck('private_chat', ...message)) as never
  expectAck(t, 'private_chat', ack, 403)
  t.same(heard, [])
})
