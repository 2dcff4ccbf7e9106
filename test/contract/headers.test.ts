import t from 'tap'
import { electron } from './client.ts'
import { stringAt } from './json.ts'
import { register } from './people.ts'
import { raw, rawHandshake } from './raw.ts'
import { serve } from './server.ts'

const server = await serve(t)
const client = server.client()
const { id } = await register(client, '小明')
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const uploaded = await client.upload('/upload/user', { file: { name: 'a.png', data: PNG } })
const picture = stringAt(uploaded.body, 'url')
const { http, socketUrl } = client
const json = { ...electron, 'content-type': 'application/json' }
const stranger = { origin: 'http://evil.example' }
const polling = `${socketUrl}/socket.io/?EIO=4&transport=polling`

const kinds = {
  'an answer': () => raw(`${http}/contacts/friend?userId=${id}`, electron),
  'a failure': () => raw(`${http}/contacts/friend?userId=x`, electron),
  'a 405 list': () => raw(`${http}/register`, json, { method: 'POST', body: '{}' }),
  'malformed JSON': () => raw(`${http}/login`, json, { method: 'POST', body: '{' }),
  health: () => raw(`${http}/health`),
  'an unknown url': () => raw(`${http}/nothing/here`, electron),
  'an unknown method': () => raw(`${http}/login`, electron, { method: 'DELETE' }),
  'a file that is not there': () => raw(`${http}/no.png`, electron),
  'a refused origin': () => raw(`${http}/search?keyword=a`, stranger),
  'a handshake': () => raw(polling, electron),
  'a malformed handshake': () => raw(`${socketUrl}/socket.io/?EIO=4&transport=x`, electron),
  'an unknown url beside sockets': () => raw(`${socketUrl}/x`, electron),
  'a refused handshake': () => raw(polling, stranger),
  'a refused WebSocket': () => rawHandshake(socketUrl, stranger),
}

for (const [name, ask] of Object.entries(kinds)) {
  await t.test(`${name} is no page and no script`, async (t) => {
    const { headers } = await ask()
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.equal(headers['x-frame-options'], 'DENY')
    t.equal(headers['referrer-policy'], 'no-referrer')
    t.match(headers['content-security-policy'], /default-src 'none'/)
    t.equal(headers['x-powered-by'], undefined)
    t.equal(headers['server'], undefined)
  })
}

await t.test('what is said in private is kept by no cache', async (t) => {
  for (const name of ['an answer', 'a failure', 'a 405 list', 'malformed JSON'] as const) {
    t.equal((await kinds[name]()).headers['cache-control'], 'no-store', name)
  }
})

await t.test('a file is shown, but runs nothing', async (t) => {
  for (const path of [picture, '/user_pic1.jpeg']) {
    const { status, headers } = await raw(http + path, electron)
    t.equal(status, 200)
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.match(headers['content-security-policy'], /default-src 'none'/)
    t.equal(headers['cross-origin-resource-policy'], 'cross-origin')
    t.match(headers['cache-control'], /max-age|immutable/)
  }
})
