import t from 'tap'
import { join } from 'node:path'
import { expectAnswer } from './coverage.ts'
import { download, filesBelow, largePng, MULTIPART, multipartBody, PNG } from './files-support.ts'
import { stringAt } from './json.ts'
import { register } from './people.ts'
import { serve } from './server.ts'

const MEBIBYTE = 1024 * 1024
const picture = { name: '黄鼠狼.png', data: PNG }
const page = { name: '黄鼠狼.png', data: '<html><script>alert(1)</script></html>' }

// A folder's name may contain anything.
const uploads = join(t.testdir({}), '上传 的文件')
const server = await serve(t, { UPLOAD_DIR: uploads, PICTURE_LIMIT: String(MEBIBYTE) })
const client = server.client()

await t.test('each endpoint keeps a picture under the time and its name', async (t) => {
  const endpoints = [
    [5, '/upload/user', 'file'],
    [15, '/upload/group', 'file'],
    [38, '/chat/private/photo', 'photo'],
    [39, '/chat/group/photo', 'whatever'],
  ] as const
  for (const [number, url, field] of endpoints) {
    const answer = await client.upload(url, { [field]: picture })
    expectAnswer(t, answer, number, 'success', {
      name: '黄鼠狼.png',
      url: /^\/\d{13}-黄鼠狼\.png$/,
    })
    const got = await download(client, stringAt(answer.body, 'url'))
    t.same([got.status, got.headers.get('content-type')], [200, 'image/png'])
    t.ok(got.bytes.equals(PNG), 'byte for byte')
    expectAnswer(t, await client.upload(url, { [field]: page }), number, 'error')
    expectAnswer(t, await client.upload(url, { title: 'no file' }), number, 'error')
    expectAnswer(t, await client.upload(url, { a: picture, b: picture }), number, 'error')
    expectAnswer(t, await client.post(url, { file: 'no file' }), number, 'error')
  }
})

await t.test('up to nine photos at once, in their order', async (t) => {
  const photos = Array.from({ length: 9 }, (_, index) => ({ name: `${index}.png`, data: PNG }))
  const answer = await client.upload('/space/upload/photos', { photos })
  expectAnswer(t, answer, 27, 'success', {
    url: photos.map(({ name }) => new RegExp(`^/\\d{13}-${name}$`)),
  })
  const before = await filesBelow(uploads)
  const ten = [...photos, picture]
  expectAnswer(t, await client.upload('/space/upload/photos', { photos: ten }), 27, 'error')
  const mixed = [...photos.slice(0, 3), page]
  expectAnswer(t, await client.upload('/space/upload/photos', { photos: mixed }), 27, 'error')
  expectAnswer(t, await client.upload('/space/upload/photos', {}), 27, 'error')
  t.same(await filesBelow(uploads), before, 'all or none')
})

await t.test('names of every kind', async (t) => {
  const long = '很'.repeat(300)
  const names: [string, string, RegExp][] = [
    ['笑😀👨‍👩‍👧.gif', '笑😀👨‍👩‍👧.gif', /^\/\d{13}-笑😀👨‍👩‍👧\.gif$/u],
    ['a b+c&d=e.png', 'a b+c&d=e.png', /^\/\d{13}-a b\+c&d=e\.png$/],
    ["it's #1? 100%.png", "it's #1? 100%.png", /^\/\d{13}-it_s _1_ 100_\.png$/],
    ['<img src=x>.png', '<img src=x>.png', /^\/\d{13}-_img src=x_\.png$/],
    ['../../etc/passwd', 'passwd', /^\/\d{13}-passwd$/],
    ['C:\\temp\\我.png', '我.png', /^\/\d{13}-我\.png$/],
    [`${long}.png`, `${long}.png`, /^\/\d{13}-很{79}\.png$/u],
    ['.env', '.env', /^\/\d{13}-\.env$/],
  ]
  for (const [sent, shown, url] of names) {
    const answer = await client.upload('/upload/user', { file: { name: sent, data: PNG } })
    expectAnswer(t, answer, 5, 'success', { name: shown, url })
    const got = await download(client, stringAt(answer.body, 'url'))
    t.ok(got.bytes.equals(PNG), `GET ${stringAt(answer.body, 'url').slice(0, 40)}`)
  }
})

await t.test('a picture without a name gets one', async (t) => {
  for (const rest of ['filename=""', 'x="y"\r\nContent-Type: application/octet-stream']) {
    const headers = `Content-Disposition: form-data; name="file"; ${rest}`
    const body = multipartBody([{ headers, body: PNG }])
    const init = { method: 'POST', headers: MULTIPART, body }
    const answer = await client.request('/upload/group', init)
    expectAnswer(t, answer, 15, 'success', {
      name: 'picture.png',
      url: /^\/\d{13}-picture\.png$/,
    })
  }
})

await t.test('many uploads of one name in one moment, also to two servers', async (t) => {
  const settings = { UPLOAD_DIR: uploads, DATABASE_URL: server.databaseUrl }
  const clients = [client, (await serve(t, settings)).client()]
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const data = Buffer.concat([PNG, Buffer.from(String(index))])
      const sender = clients[index % 2] ?? client
      const answer = await sender.upload('/chat/private/photo', { photo: { name: 'p.png', data } })
      const url = stringAt(answer.body, 'url')
      t.ok((await download(client, url)).bytes.equals(data), url)
      return url
    }),
  )
  t.equal(new Set(answers).size, answers.length)
})

await t.test('pictures are judged by their content', async (t) => {
  const before = await filesBelow(uploads)
  const fakes = {
    'page.png': '<!doctype html><script>1</script>',
    'drawing.png': '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    'drawing.svg': '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    'program.jpg': Buffer.from('7f454c4602010100', 'hex'),
    'paper.gif': '%PDF-1.7\n',
    'empty.png': '',
    'half.png': PNG.subarray(0, 5),
  }
  for (const [name, data] of Object.entries(fakes)) {
    expectAnswer(t, await client.upload('/upload/user', { file: { name, data } }), 5, 'error')
  }
  t.same(await filesBelow(uploads), before, 'nothing is left')
  const renamed = await client.upload('/upload/user', { file: { name: 'a.html', data: PNG } })
  expectAnswer(t, renamed, 5, 'success', { name: 'a.html' })
  const got = await download(client, stringAt(renamed.body, 'url'))
  t.equal(got.headers.get('content-type'), 'image/png', 'the name does not count')
})

await t.test('a picture may be as large as the setting says, not larger', async (t) => {
  const before = await filesBelow(uploads)
  const send = (bytes: number) =>
    client.upload('/chat/group/photo', { photo: { name: 'large.png', data: largePng(bytes) } })
  expectAnswer(t, await send(MEBIBYTE + 1), 39, 'error')
  expectAnswer(t, await send(3 * MEBIBYTE), 39, 'error')
  t.same(await filesBelow(uploads), before, 'nothing is left')
  expectAnswer(t, await send(MEBIBYTE), 39, 'success')
})

await t.test('whose avatar it is', async (t) => {
  const person = await register(client, '小明')
  const other = await register(client, '小红')
  const upload = (by: typeof client, _id: string) =>
    by.upload('/upload/user', { file: picture, _id })
  expectAnswer(t, await upload(client, person.id), 5, 'success')
  expectAnswer(t, await upload(client, 'nobody'), 5, 'error')
  expectAnswer(t, await upload(client, '0'.repeat(24)), 5, 'error')
  const known = server.client({ token: person.token })
  expectAnswer(t, await upload(known, person.id), 5, 'success')
  expectAnswer(t, await upload(known, other.id), 5, '403')
})

await t.test('in token mode uploads need a token, and files are public', async (t) => {
  const strict = await serve(t, { AUTH_MODE: 'token', UPLOAD_DIR: join(t.testdir({}), 'up') })
  const stranger = strict.client()
  const person = await register(stranger, '小明')
  const known = strict.client({ token: person.token })
  const large = { name: 'large.png', data: largePng(9 * MEBIBYTE) }
  expectAnswer(t, await stranger.upload('/upload/user', { file: large }), 5, '401')
  expectAnswer(t, await stranger.upload('/space/upload/photos', { photos: picture }), 27, '401')
  expectAnswer(t, await stranger.upload('/chat/file/private', { chunk: picture }), 40, '401')
  const named = { fileHash: 'a'.repeat(32), fileName: 'a.bin', size: 1 }
  expectAnswer(t, await stranger.post('/merge/private', named), 41, '401')
  expectAnswer(t, await stranger.post('/verify/private', named), 42, '401')
  const kept = await known.upload('/upload/user', { file: large })
  expectAnswer(t, kept, 5, 'success')
  t.equal((await download(stranger, stringAt(kept.body, 'url'))).status, 200)
})
