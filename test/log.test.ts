import { open } from 'node:fs/promises'
import t from 'tap'
import { Fault } from '../src/fault.ts'
import { loggedError } from '../src/log.ts'

await t.test('what an error quotes is not logged, wherever it quotes it', async (t) => {
  const tooLong = await open(`/tmp/canary${'x'.repeat(300)}`).catch((error: unknown) => error)
  const unread = new Error('could not parse canary-password-1234')
  const errors = [
    tooLong,
    unread,
    new Error('Failed query: select $1\nparams: canary'),
    new TypeError('Invalid URL: canary', { cause: new Error('canary') }),
    Object.assign(new Error('canary\n    at canary'), { code: 'X' }),
    'canary',
  ]
  for (const error of errors) t.notMatch(JSON.stringify(loggedError(error)), /canary/)
  t.match(loggedError(tooLong), { type: 'Error', code: 'ENAMETOOLONG', syscall: 'open' })
  t.match(loggedError(unread).stack, /log\.test\.ts/, 'where it came from is')
})

await t.test('our own words, and the driver’s of its connections, are', async (t) => {
  for (const error of [new Fault('too little'), new Error('Connection terminated unexpectedly')]) {
    t.equal(loggedError(error).message, error.message)
  }
})
