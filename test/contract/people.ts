import { randomInt } from 'node:crypto'
import type { Client } from './client.ts'
import { stringAt, type Json } from './json.ts'
import type { Connection } from './socket.ts'

/** Somebody who has registered. */
export interface Person {
  readonly id: string
  readonly phone: string
  readonly nick: string
  readonly token: string
}

/** A phone number that nobody has yet. */
export function freePhone(): string {
  return `13${String(randomInt(1e9)).padStart(9, '0')}`
}

/** Registers somebody; the password is `secret`. */
export async function register(client: Client, nick: string, phone = freePhone()): Promise<Person> {
  const { body } = await client.post('/register', { phone, password: 'secret', nick })
  return { id: stringAt(body, 'data', '_id'), phone, nick, token: stringAt(body, 'data', 'token') }
}

/** Makes two people friends. */
export async function befriend(client: Client, one: Person, other: Person): Promise<void> {
  await client.post('/friend/add', { userId: one.id, friendId: other.id })
  await client.post('/friend/agree', { userId: other.id, friendId: one.id })
}

/** How somebody who has not changed the picture appears inside other documents. */
export function shown({ id, nick }: Person) {
  return { _id: id, nick, imgUrl: '/user_pic1.jpeg' }
}

/** What the client sends as `dataMsg` for a text. */
export function textMessage(sender: Person, message: string, msgType = 0) {
  return {
    userId: { _id: sender.id, nick: sender.nick, imgUrl: '/user_pic1.jpeg' },
    msgType,
    message,
    time: new Date().toISOString(),
  }
}

/** Two people who are friends, each logged in on a socket that closes with the test. */
export async function friendsOnline(t: { teardown(handler: () => void): void }, client: Client) {
  const a = await register(client, '小明')
  const b = await register(client, '小红')
  await befriend(client, a, b)
  const socketA = await online(t, client, a)
  const socketB = await online(t, client, b)
  return { a, b, socketA, socketB }
}

/** A socket that closes with the test, logged in as somebody or as nobody. */
export async function online(
  t: { teardown(handler: () => void): void },
  client: Client,
  person?: Person,
): Promise<Connection> {
  const socket = await client.connect()
  t.teardown(() => socket.close())
  if (person !== undefined) await socket.login(person.id)
  return socket
}

/** Sends a text and gives its acknowledgement. */
export function say(socket: Connection, from: Person, to: Person, message: string): Promise<Json> {
  return socket.emitWithAck('private_chat', textMessage(from, message), from.id, to.id)
}
