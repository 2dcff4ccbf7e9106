import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import t from 'tap'
import type { Client } from './client.ts'
import { expectAnswer } from './coverage.ts'
import { download, largePng, PNG, randomFile, sendChunk, sendChunks } from './files-support.ts'
import { at, stringAt } from './json.ts'
import { serve } from './server.ts'

const server = await serve(t, { PICTURE_LIMIT: '200000' })
const client = server.client()

const PICTURES = [
  [5, '/upload/user'],
  [15, '/upload/group'],
  [38, '/chat/private/photo'],
  [39, '/chat/group/photo'],
] as const

for (const [number, url] of PICTURES) {
  await t.test(`${url} keeps a picture under its name, and nothing else`, async (t) => {
    const file = { name: '黄鼠狼.png', data: PNG }
    const answer = await client.upload(url, { file })
    expectAnswer(t, answer, number, 'success', {
      name: '黄鼠狼.png',
      url: /^\/\d{13}.*-黄鼠狼\.png$/,
    })
    const served = await download(client, stringAt(answer.body, 'url'))
    t.equal(served.status, 200)
    t.ok(served.bytes.equals(PNG))

    const refused = [
      await client.upload(url, { file: { name: 'x.png', data: '<script>' } }),
      await client.upload(url, { file: { name: 'x.png', data: largePng(300_000) } }),
      await client.post(url, { file: 'x' }),
      await client.upload(url, { other: 'x' }),
    ]
    for (const one of refused) expectAnswer(t, one, number, 'error')
    expectAnswer(t, await client.upload(url, { file }), number, 'success')
  })
}

await t.test('27 keeps up to nine pictures in order', async (t) => {
  const photos = Array.from({ length: 9 }, (_, n) => ({ name: `${n}.png`, data: PNG }))
  const answer = await client.upload('/space/upload/photos', { photos })
  const urls = at(answer.body, 'url') as string[]
  t.equal(answer.httpStatus, 200)
  expectAnswer(t, answer, 27, 'success', { url: urls })
  t.same(
    urls.map((url) => url.slice(-5)),
    photos.map(({ name }) => name),
  )
  const ten = [...photos, { name: '9.png', data: PNG }]
  expectAnswer(t, await client.upload('/space/upload/photos', { photos: ten }), 27, 'error')
})

await t.test('stored files are served for good, in ranges too', async (t) => {
  const answer = await client.upload('/upload/user', { file: { name: 'a b.png', data: PNG } })
  const url = stringAt(answer.body, 'url')
  const whole = await download(client, url)
  t.match(whole.headers.get('cache-control'), /immutable/)
  t.equal(whole.headers.get('cross-origin-resource-policy'), 'cross-origin')
  t.equal(whole.headers.get('x-content-type-options'), 'nosniff')
  t.equal(whole.headers.get('content-type'), 'image/png')
  const range = await download(client, url, { headers: { range: 'bytes=2-5' } })
  t.equal(range.status, 206)
  t.ok(range.bytes.equals(PNG.subarray(2, 6)))
  // fetch would add `Cache-Control: no-cache`, which asks for the whole file.
  const headers = { 'if-none-match': whole.headers.get('etag') ?? '' }
  const [again] = (await once(get(client.http + encodeURI(url), { headers }), 'response')) as [
    IncomingMessage,
  ]
  t.equal(again.resume().statusCode, 304)
  for (const name of ['user_pic1.jpeg', 'user_pic2.jpeg', 'user2.png', 'group_pic.png']) {
    const picture = await download(client, `/${name}`)
    t.equal(picture.status, 200, name)
    t.match(picture.headers.get('content-type'), /^image\//)
  }
  for (const path of ['/nope.png', '/%2e%2e%2fpackage.json', '/..%2fpackage.json', '/.env']) {
    const { status } = await fetch(client.http + path)
    t.ok(status === 404 || status === 400, `${path}: ${status}`)
  }
})

await t.test('names of all kinds are kept apart and can be fetched', async (t) => {
  const names = ['黄鼠狼.png', '😀.png', 'a"b\'c#d?e%f\\g.png', '', `${'长'.repeat(300)}.png`]
  const urls = new Set<string>()
  for (const name of [...names, ...names]) {
    const answer = await client.upload('/chat/private/photo', { photo: { name, data: PNG } })
    if (at(answer.body, 'res_code') !== 200) {
      t.equal(name, '', 'only a file without a name may be refused')
      continue
    }
    const url = stringAt(answer.body, 'url')
    t.notMatch(url, /[#?%\\"']/)
    // The client builds addresses without encoding.
    t.ok(Buffer.from(await (await fetch(client.http + url)).arrayBuffer()).equals(PNG), name)
    urls.add(url)
  }
  t.ok(urls.size >= 8, 'every upload has a name of its own')
})

const merge = (client: Client, fileHash: string, fileName: string, type = 'private') =>
  client.post(`/merge/${type}`, { fileHash, fileName, size: 1_048_576 })
const verify = (fileHash: string, fileName = 'a.zip', type = 'private') =>
  client.post(`/verify/${type}`, { fileHash, fileName })

await t.test('a large file arrives in chunks, in any order, and is joined once', async (t) => {
  const file = randomFile(5_000_000)
  expectAnswer(t, await verify(file.hash), 42, 'success: 文件需要重新上传', {
    data: { shouldUpload: true, existChunks: [] },
  })
  const order = [3, 0, 4, 1]
  const sent = await Promise.all(
    [...order, ...order].map((n) => sendChunk(client, file.hash, n, file.chunks[n] ?? PNG)),
  )
  for (const answer of sent) expectAnswer(t, answer, 40, 'success')
  const before = await verify(file.hash)
  t.same(
    new Set(at(before.body, 'data', 'existChunks') as string[]),
    new Set(order.map((n) => `${file.hash}-${n}`)),
    'what is there need not be sent again',
  )
  expectAnswer(t, await merge(client, file.hash, 'a.zip'), 41, 'error')
  await sendChunk(client, file.hash, 2, file.chunks[2] ?? PNG)

  const merged = await Promise.all(
    Array.from({ length: 16 }, () => merge(client, file.hash, '归档.zip')),
  )
  for (const answer of merged) {
    expectAnswer(t, answer, 41, 'success', { url: `/${file.hash}.zip` })
  }
  const served = await download(client, `/${file.hash}.zip`)
  t.ok(served.bytes.equals(file.bytes), 'byte for byte')
  t.match(served.headers.get('content-disposition'), /^attachment/)
  expectAnswer(t, await verify(file.hash, 'b.zip', 'group'), 42, 'success: 文件不需要重新上传', {
    data: { shouldUpload: false, url: `/${file.hash}.zip` },
  })
})

await t.test('a merge that a kill interrupts can be done again', async (t) => {
  for (const delay of [0, 5, 20]) {
    const file = randomFile(4_000_000)
    await sendChunks(client, file)
    const interrupted = merge(client, file.hash, 'a.bin').catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, delay))
    await server.restart('SIGKILL')
    await interrupted
    const again = server.client()
    const found = await download(again, `/${file.hash}.bin`)
    t.ok(found.status === 404 || found.bytes.equals(file.bytes), 'absent or whole')
    expectAnswer(t, await merge(again, file.hash, 'a.bin'), 41, 'success')
    t.ok((await download(again, `/${file.hash}.bin`)).bytes.equals(file.bytes))
  }
})

await t.test('hostile keys, names and types get the documented error', async (t) => {
  const client = server.client()
  const hash = randomBytes(16).toString('hex')
  for (const bad of ['', '../../etc/passwd', `${hash}/x`, hash.toUpperCase(), `${hash}0`, 'x\0']) {
    const answer = await client.upload('/chat/file/private', {
      fileHash: bad,
      chunkHash: `${bad}-0`,
      chunk: { name: 'blob', data: 'x' },
    })
    expectAnswer(t, answer, 40, 'error')
    expectAnswer(t, await merge(client, bad, 'a.zip'), 41, 'error')
    expectAnswer(
      t,
      await client.post('/verify/private', { fileHash: bad, fileName: 'a' }),
      42,
      'error',
    )
  }
  for (const index of ['-1', 'x', '1e9', '99999', '0/../1', '']) {
    const answer = await client.upload('/chat/file/private', {
      fileHash: hash,
      chunkHash: `${hash}-${index}`,
      chunk: { name: 'blob', data: 'x' },
    })
    expectAnswer(t, answer, 40, 'error')
  }
  expectAnswer(t, await sendChunk(client, hash, 0, PNG, 'public'), 40, 'error')
  expectAnswer(t, await merge(client, hash, 'a.zip', 'public'), 41, 'error')
  const html = randomFile(100)
  await sendChunks(client, html)
  expectAnswer(t, await merge(client, html.hash, '../../x.html'), 41, 'error')
  const named = await merge(client, html.hash, 'x.html')
  const served = await download(client, stringAt(named.body, 'url'))
  t.equal(served.headers.get('content-type'), 'application/octet-stream')
  t.match(served.headers.get('content-disposition'), /^attachment/)
})
