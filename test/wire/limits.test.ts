import t from 'tap'
import { askerAt, createAllowance, createLimit, networkOf } from '../../src/wire/limits.ts'

const SECOND = 1_000

function withClock<Made>(make: (perSecond: number, now: () => number) => Made, perSecond: number) {
  let time = 0
  const made = make(perSecond, () => time)
  return { made, wait: (milliseconds: number) => void (time += milliseconds) }
}

await t.test('twenty seconds may come at once, then so many a second', async (t) => {
  const { made, wait } = withClock(createAllowance, 10)
  for (let one = 0; one < 200; one += 1) t.equal(made.take(), 'within')
  t.equal(made.take(), 'over')
  wait(SECOND)
  for (let one = 0; one < 10; one += 1) t.equal(made.take(), 'within')
  t.equal(made.take(), 'over')
  wait(60 * SECOND)
  for (let one = 0; one < 200; one += 1) t.equal(made.take(), 'within')
  t.equal(made.take(), 'over', 'no more than twenty seconds are saved up')
})

await t.test('what costs more takes more, or nothing', async (t) => {
  const { made } = withClock(createAllowance, 1)
  t.equal(made.take(15), 'within')
  t.equal(made.take(6), 'over')
  t.equal(made.take(5), 'within')
  t.equal(made.take(), 'over')
})

await t.test('ten times over is far over, and forgiven in time', async (t) => {
  const { made, wait } = withClock(createAllowance, 1)
  t.equal(made.take(20), 'within')
  for (let one = 0; one < 200; one += 1) t.equal(made.take(), 'over')
  t.equal(made.take(), 'far over')
  wait(5 * SECOND)
  t.equal(made.take(5), 'within')
  t.equal(made.take(), 'over')
})

await t.test('askers do not take from each other', async (t) => {
  const { made } = withClock(createLimit, 1)
  t.equal(made.take('a', 20), 'within')
  t.equal(made.take('a'), 'over')
  t.equal(made.take('b', 20), 'within')
})

await t.test('0 is for no limit', async (t) => {
  const allowance = createAllowance(0)
  const limit = createLimit(0)
  for (let one = 0; one < 1_000; one += 1) {
    t.same([allowance.take(1_000), limit.take('a', 1_000)], ['within', 'within'])
  }
})

await t.test('the oldest of very many askers is forgotten', async (t) => {
  const { made } = withClock(createLimit, 1)
  made.take('first', 20)
  t.equal(made.take('first'), 'over')
  for (let one = 0; one < 10_000; one += 1) made.take(`asker ${one}`)
  t.equal(made.take('first'), 'within')
})

await t.test('whoever goes on asking is not forgotten for being there first', async (t) => {
  const { made } = withClock(createLimit, 1)
  made.take('first', 20)
  for (let one = 0; one < 15_000; one += 1) {
    made.take(`asker ${one}`)
    if (one % 5_000 === 0) t.equal(made.take('first'), 'over')
  }
  t.equal(made.take('first'), 'over')
})

await t.test('a usual limit is for other machines, one that is set for all', async (t) => {
  const usual = { most: 10, onLoopback: false }
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    t.equal(askerAt(address, usual), undefined, address)
    t.type(askerAt(address, { ...usual, onLoopback: true }), 'string', address)
  }
  t.equal(askerAt('192.0.2.1', usual), '192.0.2.1')
  t.equal(askerAt('192.0.2.1', { most: 0, onLoopback: true }), undefined)
  t.equal(askerAt(undefined, usual), undefined, 'a connection that was broken off')
})

await t.test('an IPv6 network is one asker', async (t) => {
  const networks: [address: string, network: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['fe80::1', 'fe80:0:0:0'],
    ['1::', '1:0:0:0'],
  ]
  for (const [address, network] of networks) t.equal(networkOf(address), network)
})
