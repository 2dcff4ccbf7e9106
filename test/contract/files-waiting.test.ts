import t from 'tap'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.ts'
import { expectAnswer } from './coverage.ts'
import {
  type CutFile,
  download,
  filesBelow,
  MULTIPART,
  multipartBody,
  randomFile,
  sendChunk,
} from './files-support.ts'
import { serve } from './server.ts'

const MEBIBYTE = 1024 * 1024
/** Longer than a merge waits when nothing arrives. */
const HELD = 1_800

const uploads = join(t.testdir({}), 'up')
const server = await serve(t, { UPLOAD_DIR: uploads })
const second = await serve(t, { UPLOAD_DIR: uploads, DATABASE_URL: server.databaseUrl })
const [client, other] = [server.client(), second.client()]

const merge = ({ hash }: CutFile) =>
  client.post('/merge/private', { fileHash: hash, fileName: 'late.zip' })

for (const [where, receiver] of [
  ['this server', client],
  ['another server on the folder', other],
] as const) {
  for (const order of ['fields first', 'file first'] as const) {
    await t.test(`a merge waits for a chunk that ${where} receives, ${order}`, async (t) => {
      const { file, late } = await allButTheLast()
      const slow = await slowChunk(receiver, file, late, order)
      const merging = merge(file)
      await sleep(HELD)
      slow.finish()
      t.match(await slow.answer, { status: 200 })
      expectAnswer(t, await merging, 41, 'success', { url: `/${file.hash}.zip` })
      t.ok((await download(client, `/${file.hash}.zip`)).bytes.equals(file.bytes))
    })
  }

  await t.test(`a chunk that ${where} never gets whole makes the merge fail`, async (t) => {
    const { file, late } = await allButTheLast()
    const slow = await slowChunk(receiver, file, late, 'fields first')
    expectAnswer(t, await merge(file), 41, 'error')
    slow.finish()
    t.match(await slow.answer, { status: 200 })
    expectAnswer(t, await merge(file), 41, 'success', { url: `/${file.hash}.zip` })
  })
}

/** A file of which the server has everything but the last chunk. */
async function allButTheLast() {
  const file = randomFile(3 * MEBIBYTE)
  const late = file.chunks.length - 1
  for (const [index, chunk] of file.chunks.slice(0, late).entries()) {
    await sendChunk(client, file.hash, index, chunk)
  }
  return { file, late }
}

/** A chunk whose last byte is sent only when told to. */
async function slowChunk(
  receiver: Client,
  { hash, chunks }: CutFile,
  index: number,
  order: 'fields first' | 'file first',
) {
  const fields = [
    { headers: field('fileHash'), body: hash },
    { headers: field('chunkHash'), body: `${hash}-${index}` },
  ]
  const chunk = {
    headers: `${field('chunk')}; filename="blob"`,
    body: chunks[index] ?? Buffer.of(),
  }
  const body = multipartBody(order === 'fields first' ? [...fields, chunk] : [chunk, ...fields])
  let finish = () => {}
  const told = new Promise<void>((resolve) => (finish = resolve))
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(body.subarray(0, -1))
      await told
      controller.enqueue(body.subarray(-1))
      controller.close()
    },
  })
  const init = {
    method: 'POST',
    headers: MULTIPART,
    body: stream,
    duplex: 'half' as const,
    signal: AbortSignal.timeout(20_000),
  }
  const answer = receiver.request('/chat/file/private', init).then(({ body: answered }) => answered)
  while ((await filesBelow(uploads)).every((path) => !path.endsWith('.part'))) await sleep(10)
  return { answer, finish }
}

function field(name: string): string {
  return `Content-Disposition: form-data; name="${name}"`
}
