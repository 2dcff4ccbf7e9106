import t from 'tap'
import { execute } from '../helpers/databases.ts'
import { makeThings, type Things } from '../fuzz/target.ts'
import { canaryEvents, canaryRequests } from './canaries.ts'
import { type Answer, type Client, electron } from './client.ts'
import { stringAt } from './json.ts'
import { befriend, freePhone, online, type Person, register, textMessage } from './people.ts'
import { raw, type RawAnswer } from './raw.ts'
import { serve } from './server.ts'
import type { Connection } from './socket.ts'

const PASSWORD = 'canary-password-4d1f'
const TEXT = 'canary-text-77ab'
const FORGED = 'canary-token-c0de'
/** What would show that an answer was not written for the client. */
const INTERNAL =
  /\b(select|insert into|update|delete from) .*\$\d|\bat .*\.ts:\d|node_modules|Error:/i

const server = await serve(t, { LOG_LEVEL: 'trace', LOGIN_FAILURES: '3' })
const client = server.client()
const answers: (Answer | RawAnswer)[] = []
const acks: string[] = []
const tokens: string[] = []

const json = { 'content-type': 'application/json', ...electron }
const post = (path: string, body: string, headers: Record<string, string> = json) =>
  raw(client.http + path, headers, { method: 'POST', body })

/** Passwords, tokens and texts through good calls and bad ones, at every kind of entrance. */
async function callEverything(person: Person, friend: Person, socket: Connection): Promise<void> {
  const { id: userId, phone } = person
  const asPerson = server.client({ token: person.token })
  const forged = server.client({ token: FORGED })
  const pair = { userId, friendId: friend.id }
  const calls: (() => Promise<Answer | RawAnswer>)[] = [
    () => client.post('/register', { phone: freePhone(), password: PASSWORD, nick: '新来' }),
    () => client.post('/register', { phone, password: PASSWORD, nick: '又来' }),
    () => client.post('/register', { phone: 'x', password: PASSWORD }),
    () => client.post('/register', { phone: freePhone(), password: `${PASSWORD}\0`, nick: '坏' }),
    () => client.post('/login', { phone, password: PASSWORD }),
    ...Array.from({ length: 5 }, () => () => {
      return client.post('/login', { phone: friend.phone, password: `${PASSWORD} wrong` })
    }),
    () => client.postJson('/login', { phone: [PASSWORD], password: { PASSWORD } }),
    () => asPerson.get('/message/list', { userId }),
    () => forged.get('/message/list', { userId }),
    () => raw(`${client.http}/message/list?userId=${userId}`, { ...electron, token: FORGED }),
    () => client.get('/message/list', { userId, token: FORGED, password: PASSWORD }),
    () => client.get(`/${TEXT}`, { password: PASSWORD, token: FORGED }),
    () => client.get('/search', { keyword: TEXT }),
    () => client.post('/notes/add', { userId, text: TEXT, color: TEXT }),
    () => client.post('/space/add', { userId, textDesc: TEXT }),
    () => client.upload('/space/upload/photos', { file: { name: `${TEXT}.png`, data: TEXT } }),
    () => post('/login', `{"password":"${PASSWORD}","token":"${FORGED}`),
    () => post('/login', `{"password":"${PASSWORD}" ${TEXT}}`),
    () => post('/login', PASSWORD, { ...electron, 'content-type': `text/${TEXT}` }),
    () => post('/upload/user', TEXT, { ...electron, 'content-type': 'multipart/form-data' }),
    () =>
      post('/upload/user', `--x\r\nContent-Disposition: form-data; name="${TEXT}"`, {
        ...electron,
        'content-type': 'multipart/form-data; boundary=x',
      }),
    () => raw(`${client.http}/login?password=${PASSWORD}`, { origin: `http://${TEXT}.example` }),
    () => client.post('/friend/add', pair),
  ]
  for (const call of calls) answers.push(await call())

  for (const [message, msgType] of [
    [TEXT, 0],
    [`<b>${TEXT}</b>`, 5],
    [`{"url":"${TEXT}`, 1],
    [`${TEXT}\0`, 0],
  ] as const) {
    const said = textMessage(person, message, msgType)
    for (const args of [
      [said, userId, friend.id],
      [said, userId, TEXT],
      [said, friend.id, userId],
      [{ ...said, message: [TEXT] }, userId, friend.id],
    ]) {
      acks.push(JSON.stringify(await socket.emitWithAck('private_chat', ...args)))
    }
    socket.emit('group_chat', said, userId, TEXT)
    socket.emit(TEXT, PASSWORD)
    acks.push(JSON.stringify(await socket.emitWithAck('login', PASSWORD)))
  }
  await t.rejects(server.client({ token: FORGED }).connect(), 'a forged token opens no socket')
}

/** The same by every endpoint and event there is. */
async function callAllThereIs(things: Things, socket: Connection): Promise<void> {
  const canaries = { password: PASSWORD, token: FORGED, text: TEXT }
  for (const call of canaryRequests(client, things, canaries)) answers.push(await call())
  for (const [event, args] of canaryEvents(things, canaries)) {
    acks.push(JSON.stringify(await socket.emitWithAck(event, ...args)))
  }
}

async function newPerson(of: Client, nick: string): Promise<Person> {
  const phone = freePhone()
  const { body } = await of.post('/register', { phone, password: PASSWORD, nick })
  const token = stringAt(body, 'data', 'token')
  tokens.push(token)
  return { id: stringAt(body, 'data', '_id'), phone, nick, token }
}

await t.test('nothing secret is logged, and nothing internal answered', async (t) => {
  const [person, friend] = [await newPerson(client, '甲'), await newPerson(client, '乙')]
  await befriend(client, person, friend)
  const socket = await online(t, client, person)
  await callEverything(person, friend, socket)
  const things = await makeThings((token) => server.client(token === undefined ? {} : { token }))
  const others = await online(t, client, things.people[0])
  await callAllThereIs(things, others)

  // The same while the database refuses everything, and says what it was asked.
  const databaseUrl = String(server.databaseUrl)
  const tables = ['users', 'friendships', 'messages', 'notes', 'spaces']
  for (const table of tables)
    await execute(databaseUrl, `alter table ${table} rename to no_${table}`)
  await callEverything(person, friend, socket)
  await callAllThereIs(things, others)
  for (const table of tables)
    await execute(databaseUrl, `alter table no_${table} rename to ${table}`)
  await register(client, '丙')

  const log = server.output()
  t.match(log, /"level":10|"level":20/, 'it was as talkative as it can be')
  t.match(log, /request failed/)
  t.match(log, /event failed/)
  for (const secret of [
    PASSWORD,
    TEXT,
    FORGED,
    ...tokens,
    ...tokens.map((one) => one.slice(-20)),
  ]) {
    t.notOk(log.includes(secret), `${secret.slice(0, 12)} is not in ${log.length} bytes of log`)
  }
  t.ok(answers.length > 750 && acks.length > 130)
  t.same(
    [...answers.map(({ text }) => text), ...acks].filter((text) => INTERNAL.test(text)),
    [],
  )
})
