import t from 'tap'
import { encodeForm } from './client.ts'
import { expectAnswer } from './coverage.ts'
import { at, type Json } from './json.ts'
import { freePhone, register } from './people.ts'
import { raw } from './raw.ts'
import { serve } from './server.ts'

const FREE_FAILURES = 5
const server = await serve(t, { LOGIN_FAILURES: String(FREE_FAILURES) })
const client = server.client()
const login = (phone: string, password: string) => client.post('/login', { phone, password })

/** Logs in from another address of this machine. */
async function loginFrom(from: string, phone: string, password: string) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = encodeForm({ phone, password })
  const { status, text } = await raw(`${client.http}/login`, headers, {
    method: 'POST',
    body,
    from,
  })
  return { httpStatus: status, text, body: JSON.parse(text) as Json }
}

await t.test('too many wrong passwords cost a wait, for the right one too', async (t) => {
  const { phone } = await register(client, '小明')
  const other = await register(client, '小红')
  for (let failure = 0; failure < FREE_FAILURES; failure += 1) {
    expectAnswer(t, await login(phone, 'wrong'), 2, '密码错误')
  }
  // Two more cost a second and two, and four seconds are long enough to see what follows.
  for (let failures = 0; failures < 2;) {
    const { text } = await login(phone, 'wrong')
    if (text.includes('密码错误')) failures += 1
  }
  // Refused both: who guesses does not learn that the second one was right.
  expectAnswer(t, await login(phone, 'wrong'), 2, '服务器错误')
  expectAnswer(t, await login(phone, 'secret'), 2, '服务器错误')

  expectAnswer(t, await login(other.phone, 'secret'), 2, '登陆成功')
  expectAnswer(t, await loginFrom('127.0.0.2', phone, 'secret'), 2, '登陆成功')

  let answer = await login(phone, 'secret')
  while (at(answer.body, 'status') !== 200) answer = await login(phone, 'secret')
  expectAnswer(t, answer, 2, '登陆成功')
  for (let failure = 0; failure < FREE_FAILURES; failure += 1) {
    expectAnswer(t, await login(phone, 'wrong'), 2, '密码错误')
  }
})

await t.test('guesses that are made at once are counted like guesses in a row', async (t) => {
  const { phone } = await register(client, '小刚')
  const start = performance.now()
  const guesses = await Promise.all(Array.from({ length: 40 }, () => login(phone, 'wrong')))
  const seconds = (performance.now() - start) / 1000
  const wrong = guesses.filter(({ text }) => text.includes('密码错误'))
  // After the free ones, one at 1, 3, 7, 15 seconds.
  const most = FREE_FAILURES + Math.log2(seconds + 1)
  t.ok(wrong.length >= FREE_FAILURES && wrong.length <= most, `${wrong.length} of 40`)
})

await t.test('who does not exist stays who does not exist', async (t) => {
  for (let failure = 0; failure < 2 * FREE_FAILURES; failure += 1) {
    expectAnswer(t, await login(freePhone(), 'wrong'), 2, '该用户不存在')
  }
})
