import { EventEmitter } from 'node:events'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { DONE, event, type EventAnswer, type Socket } from '../../src/realtime/events.ts'
import { createListening } from '../../src/realtime/listening.ts'

const MEBIBYTE = 1024 * 1024

/** Sockets that are listened to: each `say` takes effect as an event that takes its time. */
function listener(t: Test) {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const say = event('user', z.tuple([z.string()], z.unknown()), (_socket, [text]) => {
    begun.push(text)
    return new Promise<EventAnswer>((resolve) => {
      ends.push(() => resolve(DONE))
    })
  })
  const listening = createListening({ say }, pino({ level: 'silent' }))
  t.teardown(() => listening.stop())
  const connect = async (pid: string, before = Promise.resolve()) => {
    let hear: (...event: unknown[]) => void = () => undefined
    const socket = Object.assign(new EventEmitter(), {
      pid,
      conn: { close: () => undefined },
      data: {},
      onAny: (listener: typeof hear) => (hear = listener),
    })
    listening.listen(socket as unknown as Socket, { take: () => 'within' }, () => before)
    await before
    await nextTurn()
    const answers: number[] = []
    const send = (...args: unknown[]) =>
      hear('say', ...args, ({ status }: EventAnswer) => answers.push(status))
    return { send, answers }
  }
  return { connect, begun, endNext: () => ends.shift()?.() }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

await t.test('an event takes effect at once, or after those before it', async (t) => {
  const { connect, begun, endNext } = listener(t)
  const { send, answers } = await connect('p')
  send('first')
  t.same(begun, ['first'], 'nothing is before it')
  send('second')
  send('third')
  await nextTurn()
  t.same(begun, ['first'])
  for (const expected of [2, 3, 3]) {
    endNext()
    await nextTurn()
    t.equal(begun.length, expected)
  }
  t.same(begun, ['first', 'second', 'third'])
  t.same(answers, [200, 200, 200])
})

await t.test('it waits for those of the session’s earlier socket, not for others', async (t) => {
  const { connect, begun, endNext } = listener(t)
  const [earlier, another] = [await connect('p'), await connect('q')]
  earlier.send('of the earlier one')
  const later = await connect('p')
  later.send('of the later one')
  another.send('of another session')
  await nextTurn()
  t.same(begun, ['of the earlier one', 'of another session'])
  endNext()
  await nextTurn()
  t.equal(begun.at(-1), 'of the later one')
})

await t.test('what waits is bounded in number', async (t) => {
  const { connect } = listener(t)
  const { send, answers } = await connect('p')
  for (let count = 0; count < 1_011; count += 1) send('x')
  t.same(answers, Array(10).fill(429))
})

for (const [what, large] of [
  ['characters', 'x'.repeat(MEBIBYTE)],
  ['bytes', Buffer.alloc(MEBIBYTE)],
  ['many values', Array(MEBIBYTE / 16).fill(1)],
  ['long keys', { ['k'.repeat(MEBIBYTE)]: 1 }],
] as const) {
  await t.test(`what waits is bounded in weight: ${what}`, async (t) => {
    const { connect, endNext } = listener(t)
    const { send, answers } = await connect('p')
    // The first does not wait, and the sixteenth that does is over the limit.
    for (let count = 0; count < 20; count += 1) send('x', large)
    t.same(answers, [429, 429, 429])
    for (let count = 0; count < 17; count += 1) {
      endNext()
      await nextTurn()
    }
    send('x', large)
    send('x', large)
    t.equal(answers.filter((status) => status === 429).length, 3, 'there is room again')
  })
}

await t.test('what is nested too deep for a recursion harms nobody', async (t) => {
  const { connect } = listener(t)
  const { send, answers } = await connect('p')
  send('x')
  const nested: unknown = JSON.parse('['.repeat(MEBIBYTE) + ']'.repeat(MEBIBYTE))
  t.doesNotThrow(() => send('x', nested))
  t.same(answers, [])
})

await t.test('whoever waits too long is told so, and nothing takes effect after all', async (t) => {
  const { connect, begun, endNext } = listener(t)
  const { send, answers } = await connect('p')
  send('first')
  send('second')
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 50))
  t.same(answers, [500, 500])
  endNext()
  await nextTurn()
  t.same(begun, ['first'])
})
