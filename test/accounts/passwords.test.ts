import t from 'tap'
import { createPasswords } from '../../src/accounts/passwords.ts'

await t.test('one address cannot keep the others from logging in', async (t) => {
  const passwords = createPasswords()
  const kept = await passwords.hash('secret')
  const flood = Array.from({ length: 100 }, (_, one) => passwords.hash(`${one}`, '192.0.2.1'))
  const settled = Promise.allSettled(flood)
  t.equal(await passwords.verify(kept, 'secret', '192.0.2.2'), true)
  const made = (await settled).filter(({ status }) => status === 'fulfilled')
  t.equal(made.length, 16, 'those that were given a place')
  t.equal(await passwords.verify(kept, 'secret', '192.0.2.1'), true, 'the places are free again')
})

await t.test('all on this machine share an address, and all places', async (t) => {
  const passwords = createPasswords()
  const flood = Array.from({ length: 100 }, () => passwords.hash('x', '127.0.0.1'))
  const made = (await Promise.allSettled(flood)).filter(({ status }) => status === 'fulfilled')
  t.equal(made.length, 66, 'two at work, and 64 that wait')
})
