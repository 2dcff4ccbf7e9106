import t from 'tap'
import { request } from 'node:http'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { download, filesBelow, PNG, randomFile, sendChunk, sendChunks } from './files-support.ts'
import { stringAt } from './json.ts'
import { serve } from './server.ts'

const uploads = join(t.testdir({}), 'up')
const server = await serve(t, { UPLOAD_DIR: uploads })
const client = server.client()

const IMMUTABLE = 'public, max-age=31536000, immutable'
const SANDBOX = "sandbox; default-src 'none'"

/** Uploads a file in one chunk; gives its address. */
async function keep(data: Buffer, name: string): Promise<string> {
  const file = randomFile(16)
  await sendChunk(client, file.hash, 0, data)
  const merged = await client.post('/merge/private', { fileHash: file.hash, fileName: name })
  return stringAt(merged.body, 'url')
}

/** The status of a path that is sent as it is, which fetch would tidy up. */
function statusOf(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(client.http, { path }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .once('error', reject)
      .end()
  })
}

await t.test('the default pictures', async (t) => {
  const types = {
    '/user_pic1.jpeg': 'image/jpeg',
    '/user_pic2.jpeg': 'image/jpeg',
    '/user2.png': 'image/png',
    '/group_pic.png': 'image/png',
  }
  for (const [url, type] of Object.entries(types)) {
    const { status, headers, bytes } = await download(client, url)
    t.same([status, headers.get('content-type')], [200, type], url)
    t.ok(bytes.length > 500 && bytes.length < 20_000)
    t.equal(headers.get('cache-control'), IMMUTABLE)
  }
})

await t.test('ranges, as videos are asked for', async (t) => {
  const file = randomFile(3_000_000)
  await sendChunks(client, file)
  await client.post('/merge/private', { fileHash: file.hash, fileName: 'a.mp4' })
  const range = async (bytes: string) => {
    const got = await download(client, `/${file.hash}.mp4`, {
      headers: { range: `bytes=${bytes}` },
    })
    return { ...got, range: got.headers.get('content-range') }
  }
  const first = await range('0-99')
  t.same([first.status, first.range], [206, 'bytes 0-99/3000000'])
  t.ok(first.bytes.equals(file.bytes.subarray(0, 100)))
  const middle = await range('1000000-')
  t.same([middle.status, middle.range], [206, 'bytes 1000000-2999999/3000000'])
  t.ok(middle.bytes.equals(file.bytes.subarray(1_000_000)))
  const last = await range('-5')
  t.same([last.status, last.range], [206, 'bytes 2999995-2999999/3000000'])
  t.ok(last.bytes.equals(file.bytes.subarray(-5)))
  const beyond = await range('3000000-')
  t.same([beyond.status, beyond.range], [416, null], 'a real HTTP error')
  t.equal(beyond.headers.get('cache-control'), null)
  t.match(beyond.headers.get('content-type'), /^application\/json/)
  t.equal((await range('nonsense')).status, 416)
})

await t.test('validators, HEAD and the headers that keep content inert', async (t) => {
  const url = await keep(PNG, 'a.png')
  const got = await download(client, url)
  const header = (name: string) => got.headers.get(name)
  t.equal(header('content-type'), 'image/png')
  t.equal(header('content-disposition'), null, 'shown inline')
  t.equal(header('cache-control'), IMMUTABLE)
  t.equal(header('cross-origin-resource-policy'), 'cross-origin')
  t.equal(header('x-content-type-options'), 'nosniff')
  t.equal(header('content-security-policy'), SANDBOX)
  const etag = header('etag') ?? ''
  const modified = header('last-modified') ?? ''
  for (const headers of [{ 'if-none-match': etag }, { 'if-modified-since': modified }]) {
    const again = await download(client, url, { headers: { ...headers, 'cache-control': '' } })
    t.same([again.status, again.bytes.length], [304, 0])
  }
  t.equal((await download(client, url, { headers: { 'if-none-match': '"x"' } })).status, 200)

  const head = await download(client, url, { method: 'HEAD' })
  t.same([head.status, head.bytes.length], [200, 0])
  for (const name of ['content-type', 'content-length', 'etag', 'cache-control', 'accept-ranges']) {
    t.equal(head.headers.get(name), header(name), name)
  }
  t.equal((await download(client, '/nothing.png', { method: 'HEAD' })).status, 404)
})

await t.test('what could run is downloaded, and is of no type', async (t) => {
  const active = {
    'page.html': '<!doctype html><script>alert(1)</script>',
    'drawing.svg': '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    'code.js': 'alert(1)',
    'style.css': 'body{}',
    'page.xhtml': '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
    'paper.pdf': '%PDF-1.7\n',
    'notes.txt': 'text',
    "文件 (1)'s.bin": 'anything',
  }
  for (const [name, text] of Object.entries(active)) {
    const { headers } = await download(client, await keep(Buffer.from(text), name))
    const encoded = encodeURIComponent(name).replace(/['()]/g, (sign) => `%${hex(sign)}`)
    t.equal(headers.get('content-type'), 'application/octet-stream', name)
    t.equal(headers.get('content-disposition'), `attachment; filename*=UTF-8''${encoded}`)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('content-security-policy'), SANDBOX)
  }
})

await t.test('nothing is served that is not in the table', async (t) => {
  await writeFile(join(uploads, 'planted.png'), PNG)
  const { hash } = randomFile(16)
  await sendChunk(client, hash, 0, PNG)
  t.ok((await filesBelow(uploads)).includes(`.chunks/${hash}/0`))
  const paths = [
    '/',
    '/planted.png',
    `/.chunks/${hash}/0`,
    `/.chunks%2f${hash}%2f0`,
    '/.env',
    '/%2eenv',
    '/..%2f..%2fpackage.json',
    '/../package.json',
    '/..%5cpackage.json',
    '/assets/user2.png',
    '/%2fuser2.png',
    '//user2.png',
    '/user2.png%00',
    '/user2.png/',
    `/${'x'.repeat(5000)}`,
    '/%E4%BD%A0',
    '/__proto__',
  ]
  for (const path of paths) t.equal(await statusOf(path), 404, path.slice(0, 40))
  for (const path of ['/%', '/%ff', '/%E4%BD']) t.equal(await statusOf(path), 400, path)
  t.equal((await client.request('/user2.png', { method: 'DELETE' })).httpStatus, 404)
})

function hex(sign: string): string {
  return sign.charCodeAt(0).toString(16).toUpperCase()
}
