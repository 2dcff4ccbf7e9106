/** Random histories of one group, compared with a plain model after every step. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { SEED, seeded } from '../helpers/random.ts'
import { assertUnreadCounts } from '../helpers/unread.ts'
import { createGroup } from './groups.ts'
import { at, type Json } from './json.ts'
import { register, type Person } from './people.ts'
import { serve } from './server.ts'
import type { Connection } from './socket.ts'

const NOBODY = '0123456789abcdef01234567'
const NICKS = ['群主', '甲', '乙', '丙']
const DEVICES = 2
const OWNER = 0
const PAGE = 20

/** What is so; people are numbers, in the order of NICKS. */
interface Model {
  /** In the order in which they joined. */
  readonly members: number[]
  /** In the order in which they applied. */
  readonly applicants: number[]
  readonly said: string[]
  /** By person; of a member. */
  readonly unread: number[]
  /** By person and device. */
  readonly online: boolean[][]
  readonly heard: string[][][]
}

interface Real {
  readonly groupId: string
}

const server = await serve(t)
const client = server.client()
const people: Person[] = []
const devices: Connection[][] = []
for (const nick of NICKS) {
  people.push(await register(client, nick))
  const own: Connection[] = []
  for (let count = 0; count < DEVICES; count++) own.push(await client.connect())
  devices.push(own)
}
t.teardown(() => {
  for (const device of devices.flat()) device.close()
})
const idOf = (person: number) => people[person]?.id ?? ''
const deviceOf = (person: number, device: number) => devices[person]?.[device] as Connection

function remove(list: number[], person: number): boolean {
  const index = list.indexOf(person)
  if (index >= 0) list.splice(index, 1)
  return index >= 0
}

/** Compares all that can be seen with the model. */
async function compare(model: Model, { groupId }: Real): Promise<void> {
  const { members, said, unread } = model
  const statusOf = (person: number) => {
    if (members.includes(person)) return 1
    return model.applicants.includes(person) ? 0 : 2
  }
  const rows = async (url: string, query: Record<string, string>, ...path: string[]) => {
    const found = at((await client.get(url, query)).body, 'data', ...path)
    assert.ok(Array.isArray(found), url)
    return found
  }
  const seenBy = async (person: number) => {
    const userId = idOf(person)
    const [contacts, list, page, home] = await Promise.all([
      rows('/contacts/group', { userId }),
      rows('/message/list', { userId }),
      client.get('/message/group', { userId, groupId }),
      client.get('/home/group', { userId, groupId }),
    ])
    return {
      person,
      state: at(home.body, 'state'),
      contacts: contacts.map((row) => at(row, 'groupId', '_id')),
      list: list.map((row) => [
        at(row, '_id'),
        at(row, 'lastMsg', 'message'),
        at(row, 'unreadMsgCount'),
      ]),
      history: [
        at(page.body, 'status'),
        (at(page.body, 'data', 'messageList') as Json[] | undefined)?.map((row) =>
          at(row, 'message'),
        ),
      ],
    }
  }
  const mustSee = (person: number) => {
    const member = members.includes(person)
    const newest = said.at(-1)
    const listed = member && newest !== undefined
    const silence = member ? 201 : 202
    return {
      person,
      state: statusOf(person),
      contacts: member ? [groupId] : [],
      list: listed ? [[groupId, newest, unread[person]]] : [],
      history: listed ? [200, said.slice(-PAGE)] : [silence, undefined],
    }
  }
  const heardOn = async (device: Connection) => {
    // Whatever was sent to the device before this answer has arrived with it.
    await device.emitWithAck('join_group', NOBODY)
    const chats = device.received('group_chat').map(([data]) => data)
    return chats.filter((data) => at(data, 'toId') === groupId).map((data) => at(data, 'message'))
  }
  const userIds = (list: Json[]) => list.map((row) => at(row, 'userId', '_id'))
  const [listed, waiting, seen, heard] = await Promise.all([
    rows('/get/groupUser', { groupId }, 'groupUser'),
    rows('/get/group/noagree', { userId: idOf(OWNER) }),
    Promise.all(people.map((_, person) => seenBy(person))),
    Promise.all(devices.map((own) => Promise.all(own.map(heardOn)))),
  ])
  assert.deepEqual(userIds(listed), members.map(idOf), 'members')
  assert.deepEqual(userIds(waiting), model.applicants.map(idOf).reverse(), 'applicants')
  assert.deepEqual(
    seen,
    people.map((_, person) => mustSee(person)),
  )
  assert.deepEqual(heard, model.heard, 'what each device was sent')
}

type Step = fc.AsyncCommand<Model, Real>

function step(name: string, act: (model: Model, real: Real) => Promise<void>): Step {
  return {
    check: () => true,
    async run(model, real) {
      await act(model, real)
      await compare(model, real)
    },
    toString: () => name,
  }
}

async function post(url: string, person: number, { groupId }: Real, status: number) {
  const { body } = await client.post(url, { groupId, userId: idOf(person) })
  assert.equal(at(body, 'status'), status, url)
}

async function get(url: string, query: Record<string, string>, status: number) {
  const { body } = await client.get(url, query)
  assert.equal(at(body, 'status'), status, url)
}

function mayApply({ members }: Model, person: number): boolean {
  return !members.includes(person)
}

function becomeMember(model: Model, person: number): void {
  model.members.push(person)
  model.unread[person] = 0
}

const person = fc.nat({ max: NICKS.length - 1 })
const personAndDevice = fc.tuple(person, fc.nat({ max: DEVICES - 1 }))

const applies = person.map((who) =>
  step(`${who} applies`, async (model, real) => {
    await post('/group/add', who, real, mayApply(model, who) ? 200 : 404)
    if (mayApply(model, who) && !model.applicants.includes(who)) model.applicants.push(who)
  }),
)
const isAccepted = person.map((who) =>
  step(`${who} is accepted`, async (model, real) => {
    const waited = remove(model.applicants, who)
    await post('/group/agree', who, real, waited ? 200 : 404)
    if (waited) becomeMember(model, who)
  }),
)
const isRefused = person.map((who) =>
  step(`${who} is refused`, async (model, real) => {
    const waited = remove(model.applicants, who)
    await post('/group/refuse', who, real, waited ? 200 : 404)
  }),
)
const joins = person.map((who) =>
  step(`${who} joins`, async (model, real) => {
    if (!mayApply(model, who)) return
    await post('/group/add', who, real, 200)
    await post('/group/agree', who, real, 200)
    remove(model.applicants, who)
    becomeMember(model, who)
  }),
)
const goes = person.map((who) =>
  step(`${who} leaves or is removed`, async (model, { groupId }) => {
    await get('/del/groupUser', { groupId, userId: idOf(who) }, who === OWNER ? 404 : 200)
    if (who !== OWNER) remove(model.members, who)
  }),
)
const speaks = personAndDevice.map(([who, device]) =>
  step(`${who} speaks on device ${device}`, async (model, { groupId }) => {
    const text = `${model.said.length}: ${who}`
    const args = [{ msgType: 0, message: text }, idOf(who), groupId]
    const ack = await deviceOf(who, device).emitWithAck('group_chat', ...args)
    const member = model.members.includes(who)
    assert.equal(at(ack, 'status'), member ? 200 : 202)
    // A socket that speaks for nobody speaks for whoever it sends as from then on.
    ;(model.online[who] as boolean[])[device] = true
    if (!member) return
    model.said.push(text)
    for (const other of model.members) {
      if (other === who) continue
      model.unread[other] = (model.unread[other] ?? 0) + 1
      model.heard[other]?.forEach((heard, index) => {
        if (model.online[other]?.[index]) heard.push(text)
      })
    }
  }),
)
const reads = person.map((who) =>
  step(`${who} reads`, async (model, { groupId }) => {
    await get('/message/read/group', { userId: idOf(who), id: groupId }, 200)
    model.unread[who] = 0
  }),
)
const comesOrGoes = personAndDevice.map(([who, device]) =>
  step(`${who} logs in or out on device ${device}`, async (model) => {
    const online = model.online[who] as boolean[]
    const [event, id] = online[device] ? ['logout', ''] : ['login', idOf(who)]
    const ack = await deviceOf(who, device).emitWithAck(event, id)
    assert.equal(at(ack, 'status'), 200)
    online[device] = !online[device]
  }),
)

async function begin(): Promise<{ model: Model; real: Real }> {
  for (const [who, own] of devices.entries()) {
    for (const device of own) await device.login(idOf(who))
  }
  const groupId = await createGroup(client, people[OWNER] as Person, '模型')
  const model: Model = {
    members: [OWNER],
    applicants: [],
    said: [],
    unread: NICKS.map(() => 0),
    online: devices.map((own) => own.map(() => true)),
    heard: devices.map((own) => own.map(() => [])),
  }
  return { model, real: { groupId } }
}

/** Afterwards nothing of the group is left to be seen. */
async function end(): Promise<void> {
  for (const { id: userId } of people) {
    const { body } = await client.get('/contacts/group', { userId })
    for (const row of at(body, 'data') as Json[]) {
      const groupId = at(row, 'groupId', '_id') as string
      await get('/del/group', { groupId }, 200)
    }
    const lists = ['/contacts/group', '/message/list', '/get/group/noagree']
    for (const url of lists) {
      assert.deepEqual((await client.get(url, { userId })).body, { status: 200, data: [] }, url)
    }
  }
}

await t.test(`histories of a group, seed ${SEED}`, async (t) => {
  const steps = [applies, isAccepted, isRefused, joins, joins, goes, speaks, speaks, speaks, reads]
  const history = fc.commands([...steps, comesOrGoes], { maxCommands: 60, size: 'max' })
  let histories = 0
  await fc.assert(
    fc.asyncProperty(history, async (commands) => {
      try {
        await fc.asyncModelRun(begin, commands)
        if (server.databaseUrl !== undefined) await assertUnreadCounts(server.databaseUrl)
      } finally {
        await end()
      }
      histories += 1
    }),
    { ...seeded(8), interruptAfterTimeLimit: 60_000, includeErrorInReport: true },
  )
  t.ok(histories > 0, `${histories} histories`)
})
