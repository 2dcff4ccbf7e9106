import t from 'tap'
import { createAttempts } from '../../src/accounts/attempts.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HERE = '192.0.2.1'
const ELSEWHERE = '192.0.2.2'
const right = async () => true
const wrong = async () => false

/** Attempts with a clock that stands still until it is moved. */
function attemptsWithClock(free = 5) {
  let time = 0
  const attempts = createAttempts(free, () => time)
  const fail = async (count: number, account = 'a', address = HERE) => {
    const outcomes = []
    for (let one = 0; one < count; one += 1) {
      outcomes.push(await attempts.attempt(account, address, wrong))
    }
    return outcomes
  }
  return { attempts, fail, wait: (milliseconds: number) => void (time += milliseconds) }
}

await t.test('after the free failures each one costs a wait twice as long', async (t) => {
  const { attempts, fail, wait } = attemptsWithClock()
  t.same(await fail(5), [false, false, false, false, false])
  for (const seconds of [1, 2, 4, 8, 16]) {
    t.equal(await attempts.attempt('a', HERE, right), 'refused', 'the right password too')
    wait(seconds * SECOND - 1)
    t.same(await fail(1), ['refused'], `still after nearly ${seconds} s`)
    wait(1)
    t.same(await fail(1), [false])
  }
})

await t.test('a refused attempt does not look at the password', async (t) => {
  const { attempts, fail } = attemptsWithClock(1)
  await fail(1)
  let looked = false
  const look = async () => (looked = true)
  t.equal(await attempts.attempt('a', HERE, look), 'refused')
  t.notOk(looked)
})

await t.test('success, and a quarter of an hour, forget the failures', async (t) => {
  const { attempts, fail, wait } = attemptsWithClock()
  await fail(4)
  t.equal(await attempts.attempt('a', HERE, right), true)
  t.same(await fail(5), [false, false, false, false, false])
  t.same(await fail(1), ['refused'])
  wait(15 * MINUTE)
  t.same(await fail(5), [false, false, false, false, false])
})

await t.test('no wait is longer than a quarter of an hour', async (t) => {
  const { fail, wait } = attemptsWithClock(1)
  await fail(1)
  for (let one = 0; one < 20; one += 1) {
    wait(15 * MINUTE)
    t.same(await fail(1), [false])
  }
})

await t.test('other accounts and other addresses are not affected', async (t) => {
  const { attempts, fail } = attemptsWithClock()
  await fail(6)
  t.equal(await attempts.attempt('b', HERE, right), true, 'another account')
  t.equal(await attempts.attempt('a', ELSEWHERE, right), true, 'nobody keeps the owner out')
  t.equal(await attempts.attempt('a', HERE, right), 'refused')
})

await t.test('one who fails everywhere must wait everywhere', async (t) => {
  const { attempts, fail } = attemptsWithClock()
  for (let account = 0; account < 20; account += 1) await fail(5, `account ${account}`)
  t.equal(await attempts.attempt('b', HERE, right), 'refused')
  t.equal(attempts.attemptUnknown(HERE), false)
  t.equal(await attempts.attempt('b', ELSEWHERE, right), true)
  t.equal(attempts.attemptUnknown(ELSEWHERE), true)
})

await t.test('asking for accounts that do not exist counts for the address', async (t) => {
  const { attempts } = attemptsWithClock()
  const asked = Array.from({ length: 101 }, () => attempts.attemptUnknown(HERE))
  t.equal(asked.filter(Boolean).length, 100)
})

await t.test('all on this machine share an address, so only their accounts count', async (t) => {
  const { attempts, fail } = attemptsWithClock()
  for (let account = 0; account < 30; account += 1) await fail(5, `account ${account}`, '127.0.0.1')
  t.equal(await attempts.attempt('b', '127.0.0.1', right), true)
})

await t.test('one network has many IPv6 addresses and counts once', async (t) => {
  const { attempts, fail } = attemptsWithClock()
  await fail(5, 'a', '2001:db8:1:2::1')
  t.equal(await attempts.attempt('a', '2001:db8:1:2:ffff::7', right), 'refused')
  t.equal(await attempts.attempt('a', '2001:db8:1:3::1', right), true)
  await fail(5, 'b', '::ffff:192.0.2.1')
  t.equal(await attempts.attempt('b', HERE, right), 'refused')
})

await t.test('many at once count like many in a row', async (t) => {
  const { attempts } = attemptsWithClock()
  let looked = 0
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, () =>
      attempts.attempt('a', HERE, async () => {
        looked += 1
        return false
      }),
    ),
  )
  t.equal(looked, 5)
  t.equal(outcomes.filter((outcome) => outcome === 'refused').length, 195)
})

await t.test('an attempt that throws does not hold up the next one', async (t) => {
  const { attempts } = attemptsWithClock()
  const broken = attempts.attempt('a', HERE, () => Promise.reject(new Error('no database')))
  const next = attempts.attempt('a', HERE, right)
  await t.rejects(broken, { message: 'no database' })
  t.equal(await next, true)
})

await t.test('failing elsewhere ten thousand times does not end a wait', async (t) => {
  const { attempts, fail, wait } = attemptsWithClock()
  await fail(5)
  await fail(4, 'b')
  for (let one = 0; one < 10_000; one += 1) await fail(1, `c${one}`, `2001:db8:0:${one}::1`)
  t.equal(await attempts.attempt('a', HERE, right), 'refused')
  t.same(await fail(2, 'b'), [false, false], 'what cost nothing yet was forgotten instead')

  await fail(5, 'd', ELSEWHERE)
  for (let one = 0; one < 10_000; one += 1) await fail(5, `e${one}`, `2001:db8:1:${one}::1`)
  t.equal(await attempts.attempt('d', ELSEWHERE, right), true, 'no more than so many are kept')
  wait(15 * MINUTE)
  await fail(4)
  for (let one = 0; one < 100; one += 1) await fail(1, `f${one}`, `2001:db8:2:${one}::1`)
  t.same(await fail(2), [false, 'refused'], 'what has expired makes room first')
})

await t.test('0 is for no counting', async (t) => {
  const { fail } = attemptsWithClock(0)
  t.same(new Set(await fail(1_000)), new Set([false]))
})
