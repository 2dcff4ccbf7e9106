import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { readSettings } from '../../src/settings.ts'
import { failed } from '../../src/wire/answers.ts'
import { drainLimit, limitDuration, readWellFormed, watchPace } from '../../src/wire/bodies.ts'
import { answerAsDocumented } from '../../src/wire/endpoint.ts'

const MEBIBYTE = 1024 * 1024
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n'
const UPLOAD = 'Content-Type: multipart/form-data; boundary=x\r\n'

const app = Fastify({ requestTimeout: 0 }) as unknown as FastifyInstance
answerAsDocumented(app, readSettings({}))
limitDuration(app, 300)
await readWellFormed(app)
app.addContentTypeParser('multipart/form-data', (_request, _body, done) => done(null))
app.post('/form', { config: { failure: failed('失败') } }, async () => ({ status: 200 }))
app.post('/upload', async ({ raw }, reply) => {
  const stop = watchPace(raw, () => void reply.send('slow'), { bytes: 100, milliseconds: 300 })
  raw.once('end', () => void reply.send('whole')).resume()
  await reply
  stop()
  return reply
})
const url = await app.listen({ host: '127.0.0.1', port: 0 })
t.teardown(() => app.close())

/** Sends a head and pieces of a body, so many milliseconds apart; gives what is answered first. */
async function trickle(path: string, header: string, pieces: readonly string[], every: number) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  let answer = ''
  socket.on('data', (data) => (answer += data.toString()))
  const length = pieces.join('').length
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${header}Content-Length: ${length}\r\n\r\n`)
  for (const piece of pieces) {
    await sleep(every)
    if (answer !== '') break
    socket.write(piece)
  }
  while (answer === '') await sleep(10)
  socket.destroy()
  return answer
}

await t.test('a form that takes too long gets the documented answer', async (t) => {
  const slow = await trickle('/form', FORM, Array<string>(100).fill('a'), 20)
  t.match(slow, /^HTTP\/1\.1 200 .*connection: close.*"失败"/is)
  const tooLong = await trickle('/form', 'Content-Type: image/png\r\n', ['a', 'b', 'c'], 300)
  t.match(tooLong, /^HTTP\/1\.1 200 .*"失败"/is, 'also while it is drained')
  t.match(await trickle('/form', FORM, ['a=', 'b'], 20), /^HTTP\/1\.1 200 .*\{"status":200\}/is)
})

await t.test('an upload may take as long as it needs, but not stand still', async (t) => {
  const pieces = Array<string>(60).fill('x'.repeat(100))
  t.match(await trickle('/upload', UPLOAD, pieces, 20), /whole$/, 'four times as long as a form')
  t.match(await trickle('/upload', UPLOAD, ['x', 'y', 'z'], 400), /slow$/)
})

await t.test('more is drained than any body that is allowed has', async (t) => {
  t.ok(drainLimit(readSettings({})) > 9 * 11 * MEBIBYTE)
  t.equal(drainLimit(readSettings({ PICTURE_LIMIT: '1000' })), 64 * MEBIBYTE)
})
