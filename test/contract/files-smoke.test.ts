import t from 'tap'
import { expectAnswer } from './coverage.ts'
import { serve } from './server.ts'
import { stringAt } from './json.ts'
import { download, PNG, randomFile, sendChunks, sendChunk } from './files-support.ts'
await t.test('smoke', async (t) => {
  const server = await serve(t, { LOG_LEVEL: 'info' })
  const client = server.client()
  const answer = await client.upload('/upload/user', { file: { name: '黄鼠狼.png', data: PNG } })
  console.log(answer.text)
  const got = await download(client, stringAt(answer.body, 'url'))
  console.log(got.status, got.headers, got.bytes.equals(PNG))
  const file = randomFile(5_000_000)
  await sendChunks(client, file)
  console.log(
    (await client.post('/verify/private', { fileHash: file.hash, fileName: 'a.zip' })).text,
  )
  const m = await client.post('/merge/private', {
    fileHash: file.hash,
    fileName: 'a.zip',
    size: 1048576,
  })
  console.log(m.text)
  const g = await download(client, stringAt(m.body, 'url'))
  console.log(g.status, g.headers, g.bytes.equals(file.bytes))
  console.log((await client.post('/verify/group', { fileHash: file.hash, fileName: 'a.zip' })).text)
  console.log((await client.upload('/upload/user', { file: { name: 'x.png', data: 'no' } })).text)
  console.log((await client.post('/upload/user', { file: 'x' })).text)
  for (const n of [
    'user_pic1.jpeg',
    'user_pic2.jpeg',
    'user2.png',
    'group_pic.png',
    'nope',
    '%2e%2e',
    'a%00',
    '%ff',
  ]) {
    const r = await fetch(client.http + '/' + n)
    console.log(n, r.status, r.headers.get('content-type'), r.headers.get('content-length'))
  }
})
