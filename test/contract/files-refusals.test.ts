import t from 'tap'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { filesBelow, largePng, MULTIPART, multipartBody, PNG } from './files-support.ts'
import { serve } from './server.ts'

const MEBIBYTE = 1024 * 1024
const FAILURES = {
  '/upload/user': { res_code: 404, msg: '服务器错误' },
  '/space/upload/photos': { res_code: 500, msg: 'error' },
  '/chat/file/private': { status: 404, msg: '上传失败' },
}

const uploads = join(t.testdir({}), 'up')
const server = await serve(t, { UPLOAD_DIR: uploads, PICTURE_LIMIT: String(MEBIBYTE) })
const { http } = server.client()
/** One connection, so that what one request leaves behind is in the way of the next. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
t.teardown(() => agent.destroy())

interface Received {
  status: number | undefined
  body: unknown
  reused: boolean
}

/** The client's port of the last request: Node itself calls a socket new that a request waited for. */
let lastPort: number | undefined

function send(
  path: string,
  body: Buffer | string = '',
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = request(http + path, { agent, method, headers }, (answer) => {
      const { localPort } = answer.socket
      const reused = localPort === lastPort
      lastPort = localPort
      answer.toArray().then((pieces) => {
        const text = Buffer.concat(pieces as Buffer[]).toString()
        resolve({
          status: answer.statusCode,
          body: method === 'GET' ? text : JSON.parse(text),
          reused,
        })
      }, reject)
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

const disposition = 'Content-Disposition: form-data'
const filePart = { headers: `${disposition}; name="file"; filename="a.png"`, body: PNG }
const whole = multipartBody([filePart])
const withPart = (headers: string, body: string | Buffer = 'x') =>
  multipartBody([{ headers, body }, filePart])

const bodies: Record<string, [Buffer | string, Record<string, string>]> = {
  'no boundary': [whole, { 'content-type': 'multipart/form-data' }],
  'another boundary': [whole, { 'content-type': 'multipart/form-data; boundary=other' }],
  'a cut-off body': [whole.subarray(0, -30), MULTIPART],
  'a body cut off in a header': [whole.subarray(0, 30), MULTIPART],
  'an empty body': ['', MULTIPART],
  'a body that is no multipart': ['nonsense', MULTIPART],
  'no content type': [whole, {}],
  'another content type': [whole, { 'content-type': 'image/png' }],
  JSON: ['{"file":"x"}', { 'content-type': 'application/json' }],
  'malformed JSON': ['{"file":', { 'content-type': 'application/json' }],
  '__proto__ as a file': [
    multipartBody([{ ...filePart, headers: `${disposition}; name="__proto__"; filename="a.png"` }]),
    MULTIPART,
  ],
  'constructor as a field': [withPart(`${disposition}; name="constructor"`), MULTIPART],
  'a field twice': [
    multipartBody([
      { headers: `${disposition}; name="_id"`, body: 'a' },
      { headers: `${disposition}; name="_id"`, body: 'b' },
      filePart,
    ]),
    MULTIPART,
  ],
  'a long field': [withPart(`${disposition}; name="title"`, 'x'.repeat(10_000)), MULTIPART],
  'a name that is no UTF-8': [
    Buffer.from(whole.toString('latin1').replace('a.png', '\xff.png'), 'latin1'),
    MULTIPART,
  ],
  'a name with a replacement character': [
    multipartBody([{ ...filePart, headers: filePart.headers.replace('a.png', '\ufffd.png') }]),
    MULTIPART,
  ],
  'a field that is no UTF-8': [
    withPart(`${disposition}; name="title"`, Buffer.from([0x78, 0xff])),
    MULTIPART,
  ],
  'a hundred fields': [
    multipartBody([
      ...Array.from({ length: 100 }, (_, index) => ({
        headers: `${disposition}; name="f${index}"`,
        body: 'x',
      })),
      filePart,
    ]),
    MULTIPART,
  ],
  'no file': [multipartBody([{ headers: `${disposition}; name="title"`, body: 'x' }]), MULTIPART],
  'a part without a name': [multipartBody([{ headers: 'X: y', body: PNG }]), MULTIPART],
  'a picture that is too large': [
    multipartBody([{ ...filePart, body: largePng(MEBIBYTE + 1) }]),
    MULTIPART,
  ],
  'a picture that is far too large': [
    multipartBody([{ ...filePart, body: largePng(20 * MEBIBYTE) }]),
    MULTIPART,
  ],
  'ten pictures': [multipartBody(Array.from({ length: 10 }, () => filePart)), MULTIPART],
}

for (const [url, failure] of Object.entries(FAILURES)) {
  await t.test(
    `${url}: every refusal is the documented one, and the connection works on`,
    async (t) => {
      await send('/user2.png', '', {}, 'GET').catch(() => undefined)
      for (const [name, [body, headers]] of Object.entries(bodies)) {
        const answer = await send(url, body, headers)
        t.same([answer.status, answer.body], [200, failure], name)
        const next = await send('/verify/private', '', {})
        t.same([next.status, next.reused], [200, true], `on the same connection after ${name}`)
      }
      t.same(await filesBelow(uploads), [], 'nothing is left')
    },
  )
}

await t.test('what follows the last boundary is not in the way of the next request', async (t) => {
  const body = Buffer.concat([whole, Buffer.alloc(3 * MEBIBYTE, 'x')])
  const answer = await send('/upload/user', body, MULTIPART)
  t.match(answer, { status: 200, body: { res_code: 404 } }, 'longer than any picture')
  const short = Buffer.concat([whole, Buffer.alloc(200_000, 'x')])
  t.match(await send('/upload/user', short, MULTIPART), { status: 200, body: { res_code: 0 } })
  const next = await send('/upload/user', whole, MULTIPART)
  t.match(next, { status: 200, body: { res_code: 0 }, reused: true })
})

await t.test('an upload that is broken off leaves nothing', async (t) => {
  const before = await filesBelow(uploads)
  for (const url of Object.keys(FAILURES)) {
    const sent = request(http + url, {
      method: 'POST',
      headers: { ...MULTIPART, 'content-length': String(MEBIBYTE) },
    })
    sent.on('error', () => undefined)
    sent.write(multipartBody([{ ...filePart, body: largePng(300_000) }]).subarray(0, 300_000))
    while ((await filesBelow(uploads)).length === before.length) await sleep(10)
    sent.destroy()
    while ((await filesBelow(uploads)).length > before.length) await sleep(10)
    t.same(await filesBelow(uploads), before, url)
  }
})

await t.test('a body without end is answered, and costs its connection', async (t) => {
  const answer = await new Promise<Received>((resolve, reject) => {
    const sent = request(`${http}/upload/user`, { method: 'POST', headers: MULTIPART }, (got) => {
      got.toArray().then((pieces) => {
        const body: unknown = JSON.parse(Buffer.concat(pieces as Buffer[]).toString())
        resolve({ status: got.statusCode, body, reused: got.headers.connection !== 'close' })
      }, reject)
    })
    // Too late to matter once the answer is there.
    sent.on('error', reject)
    sent.write(multipartBody([filePart]).subarray(0, 100))
    const piece = Buffer.alloc(MEBIBYTE)
    const more = () => {
      while (!sent.destroyed && sent.write(piece));
    }
    sent.on('drain', more)
    sent.once('close', () => sent.off('drain', more))
    more()
  })
  t.same(answer, { status: 200, body: FAILURES['/upload/user'], reused: false })
})
