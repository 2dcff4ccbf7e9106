import t from 'tap'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Database } from '../../src/database/connection.ts'
import type { Delivery } from '../../src/messages/delivery.ts'
import type { LiveMessage } from '../../src/messages/live.ts'
import type { NewMessage } from '../../src/messages/queries.ts'
import { createMessageWriter } from '../../src/messages/writer.ts'
import { createTurns } from '../../src/realtime/turns.ts'

const MINUTE = 60_000

/** A database that stores, or fails as it is told to; it keeps what it was asked for. */
function setUp() {
  const asked: { ids: string[]; repeated: boolean }[] = []
  const delivered: string[] = []
  let position = 0
  const control = {
    /** The error of the next statement, if it is to fail. */
    failure: undefined as ((ids: string[]) => Error | undefined) | undefined,
    /** Whether a statement that fails has stored its messages all the same. */
    storesAnyway: false,
    returned: () => pause(5),
    /** How long a statement takes. */
    pause: () => pause(1),
  }
  const stored = new Map<string, number>()
  const db = {
    returned: () => control.returned(),
    async run(_statement: unknown, values: unknown[]) {
      const ids = (values[0] as string).slice(1, -1).split(',')
      const repeated = values[7] as boolean
      asked.push({ ids, repeated })
      await control.pause()
      const error = control.failure?.(ids)
      if (error === undefined || control.storesAnyway) {
        for (const id of ids) {
          if (stored.has(id) && !repeated) throw databaseError('23505')
          if (!stored.has(id)) stored.set(id, ++position)
        }
      }
      if (error !== undefined) throw error
      return ids.map((id, index) => [
        index + 1,
        stored.get(id),
        'nick',
        '/a.jpeg',
        null,
        null,
        null,
      ])
    },
  } as unknown as Database
  const delivery = {
    async deliver(messages: readonly LiveMessage[]) {
      delivered.push(...messages.map(([, , , , , body]) => body))
    },
  } as unknown as Delivery
  const turns = createTurns()
  const writer = createMessageWriter(db, turns, delivery)
  return { writer, turns, control, asked, delivered, stored }
}

const message = (id: string): NewMessage => ({
  id,
  conversation: 'private',
  senderId: 'a',
  targetId: 'b',
  kind: 'text',
  body: id,
  sentAt: new Date(),
})

function databaseError(code: string): Error {
  return Object.assign(new pg.DatabaseError('refused', 7, 'error'), { code })
}

await t.test('what arrives while another is stored is stored together, in order', async (t) => {
  const { writer, asked, delivered } = setUp()
  const ids = ['1', '2', '3', '4']
  t.same(
    await Promise.all(ids.map((id) => writer.store(message(id), MINUTE))),
    ids.map(() => 'stored'),
  )
  t.same(
    asked.map(({ ids }) => ids),
    [['1', '2', '3', '4']],
  )
  t.same(delivered, ids)
})

await t.test(
  'while the database is away messages wait, and say that they may be there',
  async (t) => {
    const { writer, control, asked, delivered, stored } = setUp()
    let failures = 3
    control.failure = () => (failures-- > 0 ? new Error('connect ECONNREFUSED') : undefined)
    control.storesAnyway = true
    const first = writer.store(message('1'), MINUTE)
    await pause(3)
    const second = writer.store(message('2'), MINUTE)
    t.same(await Promise.all([first, second]), ['stored', 'stored'])
    t.same(delivered, ['1', '2'])
    t.same([...stored.keys()], ['1', '2'], 'each is stored once')
    t.same(
      asked.map(({ repeated }) => repeated),
      asked.map((_, index) => index > 0),
    )
  },
)

await t.test('whose patience ends is refused, and not stored afterwards', async (t) => {
  const { writer, control, delivered } = setUp()
  let away = true
  control.failure = () => (away ? databaseError('57P03') : undefined)
  control.returned = async () => {
    while (away) await pause(5)
  }
  const impatient = writer.store(message('impatient'), 300)
  const patient = writer.store(message('patient'), MINUTE)
  await t.rejects(impatient, /does not answer/)
  away = false
  t.equal(await patient, 'stored')
  t.same(delivered, ['patient'])
})

await t.test('a statement that hangs does not keep callers waiting', async (t) => {
  const { writer, control, delivered } = setUp()
  let release: () => void = () => undefined
  control.pause = () => new Promise<void>((resolve) => (release = resolve))
  await t.rejects(writer.store(message('1'), 300), /does not answer/)
  control.pause = () => pause(1)
  release()
  t.equal(await writer.store(message('2'), MINUTE), 'stored')
  t.same(delivered, ['1', '2'], 'it was stored all the same, and so it is shown')
})

await t.test('a message that PostgreSQL will not have takes no other along', async (t) => {
  const { writer, control, delivered } = setUp()
  control.failure = (ids) => (ids.includes('bad') ? databaseError('22021') : undefined)
  const ids = ['1', 'bad', '2', '3']
  const outcomes = await Promise.allSettled(ids.map((id) => writer.store(message(id), MINUTE)))
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  )
  t.same(delivered, ['1', '2', '3'])
})

await t.test(
  'at the end what waits is stored, or given up when the database is away',
  async (t) => {
    const there = setUp()
    const last = there.writer.store(message('last'), MINUTE)
    await there.writer.finish()
    t.equal(await last, 'stored')

    const { writer, control } = setUp()
    control.failure = () => new Error('connect ECONNREFUSED')
    control.returned = () => pause(MINUTE, undefined, { ref: false })
    const lost = writer.store(message('lost'), MINUTE)
    const [outcome] = await Promise.allSettled([lost, writer.finish()])
    t.equal(outcome.status, 'rejected')
  },
)

await t.test('more than memory should hold is refused at once', async (t) => {
  const { writer, control } = setUp()
  control.failure = () => new Error('connect ECONNREFUSED')
  const large = 'x'.repeat(1024 * 1024)
  const outcomes = Array.from({ length: 70 }, (_, index) =>
    writer.store({ ...message(String(index)), body: large }, 1_000),
  )
  t.equal(await outcomes.at(-1), 'too many')
  await Promise.allSettled(outcomes)
})

await t.test('empty messages are not without weight', async (t) => {
  const { writer, control } = setUp()
  control.failure = () => new Error('connect ECONNREFUSED')
  const outcomes = Array.from({ length: 140_000 }, (_, index) =>
    writer.store({ ...message(String(index)), body: '' }, 300),
  )
  t.equal(await outcomes.at(-1), 'too many')
  await Promise.allSettled(outcomes)
})

await t.test(
  'a statement that is never answered does not keep the server from ending',
  async (t) => {
    const { writer, control } = setUp()
    control.pause = () => new Promise(() => undefined)
    const lost = writer.store(message('lost'), MINUTE)
    const [outcome] = await Promise.allSettled([lost, writer.finish()])
    t.equal(outcome.status, 'rejected')
  },
)

await t.test('whoever waits for a turn gets it between two statements', async (t) => {
  const { writer, asked, delivered, turns } = setUp()
  const ids = Array.from({ length: 1_200 }, (_, index) => String(index))
  const all = Promise.all(ids.map((id) => writer.store(message(id), MINUTE)))
  const endTurn = await turns.take()
  const before = asked.flatMap(({ ids }) => ids)
  t.ok(before.length > 0 && before.length < ids.length)
  t.same(delivered, before, 'all that was stored has been sent')
  await pause(20)
  t.same(delivered, before, 'nothing is stored meanwhile')
  endTurn()
  await all
  t.same(delivered, ids)
})
