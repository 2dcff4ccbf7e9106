import t from 'tap'
import type { Client } from './client.ts'
import { expectEvent } from './coverage.ts'
import type { Json } from './json.ts'
import { stringAt } from './json.ts'
import { befriend, type Person, register, textMessage } from './people.ts'
import { Polling } from './polling.ts'
import { serve } from './server.ts'
import type { Connection } from './socket.ts'

/** What a socket was shown of messages, in order; unread news as `+`. */
function shown(connection: Connection): string[] {
  return connection.events
    .filter(({ event }) => event === 'private_chat' || event === 'unread_message')
    .map(({ event, args: [data] }) =>
      event === 'unread_message' ? '+' : stringAt(data, 'message'),
    )
}

async function twoFriends(client: Client): Promise<[Person, Person]> {
  const pair = [await register(client, '阿甲'), await register(client, '阿乙')] as const
  await befriend(client, ...pair)
  return [...pair]
}

const say = (socket: Connection, from: Person, to: Person, text: string): Promise<Json> =>
  socket.emitWithAck('private_chat', textMessage(from, text), from.id, to.id)

await t.test('what was said while a client was away arrives once, in order', async (t) => {
  const server = await serve(t)
  const [a, b] = await twoFriends(server.client())
  const [socketA, socketB] = [await server.client().connect(), await server.client().connect()]
  await socketA.login(a.id)
  await socketB.login(b.id)
  await say(socketA, a, b, '一')
  await socketB.next('unread_message')

  for (const signal of [undefined, 'SIGKILL', 'SIGTERM'] as const) {
    const lost = socketB.disconnected()
    socketB.socket.io.reconnection(false)
    socketB.socket.io.engine.close()
    await lost
    await say(socketA, a, b, `二 ${signal}`)
    await say(socketA, a, b, `三 ${signal}`)
    if (signal !== undefined) {
      await server.restart(signal)
      await socketA.connected()
    }
    socketB.socket.io.reconnection(true)
    socketB.socket.connect()
    await socketB.next('unread_message')
    await socketB.next('unread_message')
    expectEvent(t, 'apply_notice', await socketB.next('apply_notice'), [
      { friendNoticeNum: 0, groupNoticeNum: 0 },
    ])
    await say(socketA, a, b, `四 ${signal}`)
    await socketB.next('unread_message')
  }
  t.same(
    shown(socketB),
    ['一', '二 undefined', '三 undefined', '四 undefined', '二 SIGKILL', '三 SIGKILL', '四 SIGKILL']
      .concat(['二 SIGTERM', '三 SIGTERM', '四 SIGTERM'])
      .flatMap((text) => [text, '+']),
  )
  t.same(shown(socketA), [], 'the sender is sent nothing of its own')
  socketA.close()
  socketB.close()
})

await t.test('a logout typed while away comes before what was missed', async (t) => {
  const server = await serve(t)
  const client = server.client()
  const [a, b] = await twoFriends(client)
  const socketA = await client.connect()
  await socketA.login(a.id)
  const before = await Polling.open(client.socketUrl)
  await before.send('40')
  const [connected = ''] = await before.receiveUntil('40')
  const { pid } = JSON.parse(connected.slice(2)) as { pid: string }
  await before.send(`42["login","${b.id}"]`)
  const greeting = (await before.receiveUntil('42["login"')).at(-1) ?? ''
  const offset = (JSON.parse(greeting.slice(2)) as string[]).at(-1)
  await say(socketA, a, b, '一')

  const after = await Polling.open(client.socketUrl)
  await after.send(`40${JSON.stringify({ pid, offset })}`)
  const packets = await after.receiveUntil('2')
  // The client answers a ping before it takes in what came along with it: that it is connected.
  await after.send('3')
  packets.push(...(await after.receiveUntil('')))
  await after.send('420["logout",""]', '3')
  packets.push(...(await after.receiveUntil('430')))
  t.same(
    packets.filter((packet) => packet.startsWith('42')),
    [],
  )
  socketA.close()
})
