import t, { type Test } from 'tap'
import { setTimeout as pause } from 'node:timers/promises'
import { execute } from '../helpers/databases.ts'
import { expectAck, expectAnswer } from './coverage.ts'
import { at, type Json, stringAt } from './json.ts'
import { freePhone, friendsOnline, online, type Person, say } from './people.ts'
import { raw } from './raw.ts'
import { serve } from './server.ts'
import type { Client } from './client.ts'
import type { Connection } from './socket.ts'

/** A limit of one a second lets so many through at once. */
const BURST = 20
const TOO_MANY = { status: 429, msg: '操作过于频繁, 请稍后再试' }

/** Every message of a private chat of less than two pages. */
async function storedBetween(client: Client, a: Person, b: Person): Promise<string[]> {
  const pages = [2, 1].map(async (pageNum) => {
    const query = { userId: a.id, friendId: b.id, pageNum }
    const { body } = await client.get('/message/friend', query)
    return (at(body, 'data', 'messageList') ?? []) as Json[]
  })
  return (await Promise.all(pages)).flat().map((one) => stringAt(one, 'message'))
}

/** Sends until it is refused, and gives what was accepted. */
async function sayUntilRefused(t: Test, socket: Connection, from: Person, to: Person, text = '') {
  const accepted: string[] = []
  for (;;) {
    const message = `第${accepted.length}条${text}`
    const ack = await say(socket, from, to, message)
    if (at(ack, 'status') !== 200) {
      t.same(ack, TOO_MANY)
      return accepted
    }
    accepted.push(message)
  }
}

/** How many things a limit of one a second has let through at most since a moment. */
const mostSince = (start: number) => BURST + (performance.now() - start) / 1000

await t.test('requests over the limit of an address get 429 in a body', async (t) => {
  const server = await serve(t, { REQUEST_LIMIT: '1' })
  const client = server.client()
  const registered: string[] = []
  let phone = freePhone()
  for (;;) {
    const answer = await client.post('/register', { phone, password: 'secret', nick: '小明' })
    t.equal(answer.httpStatus, 200)
    if (at(answer.body, 'status') === 429) {
      expectAnswer(t, answer, 1, '429')
      break
    }
    registered.push(phone)
    phone = freePhone()
    // Asking for what is cheap uses the limit up, too.
    await Promise.all(Array.from({ length: 4 }, () => client.get('/search', { keyword: 'a' })))
  }
  t.ok(registered.length > 0)
  for (const one of [...registered, phone]) {
    const { text } = await raw(`${client.http}/search?keyword=${one}`, {}, { from: '127.0.0.2' })
    t.equal(text.includes('小明'), one !== phone, 'another address sees what was done, and no more')
  }
})

await t.test('an address over its limit of sockets gets one when another closes', async (t) => {
  const server = await serve(t, { SOCKET_LIMIT: '2' })
  const client = server.client()
  const first = await client.connect()
  const second = await online(t, client)
  const polling = `${client.socketUrl}/socket.io/?EIO=4&transport=polling`
  for (const more of ['', '&sid=', '&sid', '&sid=x&sid=', '&%73id=']) {
    const refused = await raw(polling + more)
    t.same([refused.status, JSON.parse(refused.text)], [429, TOO_MANY], more)
  }
  t.equal((await raw(polling, {}, { from: '127.0.0.2' })).status, 200)
  await t.rejects(server.client({ timeout: 500 }).connect())
  t.ok(first.socket.connected && second.socket.connected, 'those that are there stay')

  first.close()
  // The existing client tries again by itself.
  await online(t, client)
})

await t.test('a socket over its limit of events keeps its connection', async (t) => {
  const server = await serve(t, { EVENT_LIMIT: '1' })
  const client = server.client()
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const id = socketA.socket.id
  const accepted = await sayUntilRefused(t, socketA, a, b)
  accepted.push(...(await sayUntilRefused(t, socketA, a, b, '还有')))
  t.ok(accepted.length >= BURST - 2, `${accepted.length} were accepted`)
  t.equal(socketA.socket.id, id)
  expectAck(t, 'private_chat', await say(socketB, b, a, '我还在'), 200)
  t.same((await storedBetween(client, a, b)).sort(), [...accepted, '我还在'].sort())
})

await t.test('over the limit of events a logout and a leave still count', async (t) => {
  const server = await serve(t, { EVENT_LIMIT: '1' })
  const client = server.client()
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  await sayUntilRefused(t, socketB, b, a)
  expectAck(t, 'logout', await socketB.emitWithAck('logout', ''), 200)
  expectAck(t, 'private_chat', await say(socketA, a, b, '你在吗'), 200)
  await sayUntilRefused(t, socketA, a, b)
  t.same(socketB.received('private_chat'), [], 'whoever logged out hears nothing')

  socketA.close()
  const sessions = async () => {
    const { rowCount } = await execute(String(server.databaseUrl), 'select from socket_sessions')
    return rowCount
  }
  while ((await sessions()) !== 0) await pause(50)
})

await t.test('behind a trusted proxy everybody has an address of their own', async (t) => {
  for (const trusted of ['loopback', '']) {
    const limits = { REQUEST_LIMIT: '1', SOCKET_LIMIT: '1', TRUSTED_PROXY: trusted }
    const server = await serve(t, limits)
    const { http, socketUrl } = server.client()
    const from = (address: string) => ({ 'x-forwarded-for': `203.0.113.9, ${address}` })
    const ask = async (address: string) =>
      (await raw(`${http}/search?keyword=a`, from(address))).text.includes('429')
    // At once: one after the other, a busy machine might never be over the limit.
    await Promise.all(Array.from({ length: 5 * BURST }, () => ask('192.0.2.1')))
    t.equal(await ask('192.0.2.2'), trusted === '', 'HTTP')

    const url = `${socketUrl}/socket.io/?EIO=4&transport=polling`
    const connect = async (address: string) => (await raw(url, from(address))).status
    t.same([await connect('192.0.2.1'), await connect('192.0.2.1')], [200, 429])
    t.equal(await connect('192.0.2.2'), trusted === '' ? 429 : 200, 'sockets')
  }
})

await t.test('a user over the limit of messages is refused on every device', async (t) => {
  const server = await serve(t, { MESSAGE_LIMIT: '1' })
  const client = server.client()
  const { a, b, socketA, socketB } = await friendsOnline(t, client)
  const other = await online(t, client, a)
  const start = performance.now()
  const accepted = await sayUntilRefused(t, socketA, a, b)
  t.ok(accepted.length >= BURST, `${accepted.length} were accepted`)
  accepted.push(...(await sayUntilRefused(t, other, a, b, '在这里')))
  t.ok(accepted.length <= mostSince(start), 'both devices share the limit')
  expectAck(t, 'private_chat', await say(socketB, b, a, '我还在'), 200)
  t.same((await storedBetween(client, a, b)).sort(), [...accepted, '我还在'].sort())
  t.ok(socketA.socket.connected && other.socket.connected)
})

await t.test('a message counts once for each 4 KiB of it', async (t) => {
  const server = await serve(t, { MESSAGE_LIMIT: '1' })
  const client = server.client()
  const { a, b, socketA } = await friendsOnline(t, client)
  const start = performance.now()
  // Five times 4 KiB, nearly.
  const accepted = await sayUntilRefused(t, socketA, a, b, 'x'.repeat(19_900))
  t.ok(accepted.length * 5 <= mostSince(start), `${accepted.length} were accepted`)
})
