/** Uploads that lose their connection, their server, their file or their sender. */
import t from 'tap'
import { createCipheriv } from 'node:crypto'
import { request } from 'node:http'
import { readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import pg from 'pg'
import { SEED } from '../helpers/random.ts'
import { expectAnswer } from './coverage.ts'
import {
  type CutFile,
  cut,
  download,
  filesBelow,
  KNOWN,
  largePng,
  MULTIPART,
  multipartBody,
  randomFile,
  sendChunk,
  sendChunks,
  settledFilesBelow,
  WANTED,
} from './files-support.ts'
import { serve } from './server.ts'

const MEBIBYTE = 1024 * 1024
/** What the existing client has on the way at once. */
const AT_ONCE = 6

const uploads = join(t.testdir({}), 'up')
const server = await serve(t, { UPLOAD_DIR: uploads })
const client = server.client()

const verify = ({ hash }: CutFile) =>
  client.post('/verify/private', { fileHash: hash, fileName: 'a.mp4' })
const merge = ({ hash }: CutFile) =>
  client.post('/merge/private', { fileHash: hash, fileName: 'a.mp4', size: MEBIBYTE })

await t.test(`six at once, cut off, the server killed, resumed; seed ${SEED}`, async (t) => {
  const file = cut(seededBytes(5_000_000))
  const indexes = [...file.chunks.keys()]
  const [lost = 0, ...others] = shuffled(indexes)
  const sent = others.slice(0, 3).sort()
  const early = shuffled([...sent, ...sent])
  const late = shuffled([...indexes, ...indexes])

  await Promise.all([sendAtOnce(early), cutOff(lost)])
  const existChunks = sent.map((index) => `${file.hash}-${index}`)
  expectAnswer(t, await verify(file), 42, WANTED, { data: { existChunks } })
  await server.restart('SIGKILL')
  expectAnswer(t, await verify(file), 42, WANTED, { data: { existChunks } })
  expectAnswer(t, await merge(file), 41, 'error')

  await sendAtOnce(late)
  expectAnswer(t, await merge(file), 41, 'success', { url: `/${file.hash}.mp4` })
  const { bytes } = await download(client, `/${file.hash}.mp4`)
  t.ok(bytes.equals(file.bytes), 'byte for byte')
  t.same(await settledFilesBelow(uploads), [`${file.hash}.mp4`])

  async function sendAtOnce(order: readonly number[]): Promise<void> {
    const queue = [...order]
    const sendNext = async () => {
      for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
        const answer = await sendChunk(client, file.hash, index, file.chunks[index] ?? Buffer.of())
        expectAnswer(t, answer, 40, 'success')
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, sendNext))
  }

  /** Sends half a chunk, and ends the connection once the server has some of it. */
  async function cutOff(index: number): Promise<void> {
    const field = (name: string) => `Content-Disposition: form-data; name="${name}"`
    const body = multipartBody([
      { headers: field('fileHash'), body: file.hash },
      { headers: field('chunkHash'), body: `${file.hash}-${index}` },
      { headers: `${field('chunk')}; filename="blob"`, body: file.chunks[index] ?? Buffer.of() },
    ])
    const headers = { ...MULTIPART, 'content-length': String(body.length) }
    const sending = request(`${client.http}/chat/file/private`, { method: 'POST', headers })
    sending.on('error', () => undefined)
    sending.write(body.subarray(0, body.length / 2))
    while ((await filesBelow(uploads)).every((path) => !path.endsWith('.part'))) await sleep(5)
    sending.destroy()
  }
})

await t.test('a server that is killed before the row of a file is stored', async (t) => {
  const file = randomFile(MEBIBYTE)
  await sendChunks(client, file)
  const before = await filesBelow(uploads)
  const database = new pg.Client({ connectionString: server.databaseUrl })
  await database.connect()
  await database.query('begin')
  await database.query('lock table files in share row exclusive mode')
  const photo = { name: 'a.png', data: largePng(1000) }
  const uploading = [merge(file), client.upload('/chat/private/photo', { photo })]
  const answers = Promise.allSettled(uploading)
  const claimed = async () => {
    const names = await readdir(uploads)
    return names.filter((name) => !name.startsWith('.') && !before.includes(name))
  }
  while ((await claimed()).length < 2) await sleep(5)
  t.ok((await claimed()).includes(`${file.hash}.mp4`))
  for (const name of await claimed()) t.equal((await download(client, `/${name}`)).status, 404)
  await server.restart('SIGKILL')
  // PostgreSQL would store the rows once it may: nobody has told it that the server is gone.
  await database.query(
    `select pg_terminate_backend(pid) from pg_locks where relation = 'files'::regclass and not granted`,
  )
  await database.end()
  await answers
  t.same(await filesBelow(uploads), before, 'only the chunks are left')
  expectAnswer(t, await merge(file), 41, 'success', { url: `/${file.hash}.mp4` })
  t.ok((await download(client, `/${file.hash}.mp4`)).bytes.equals(file.bytes))
})

await t.test('a file that is lost is not served, and served again once it is back', async (t) => {
  const file = randomFile(2 * MEBIBYTE)
  const url = `/${file.hash}.mp4`
  const stored = join(uploads, `${file.hash}.mp4`)
  const served = async () => {
    const { status, bytes } = await download(client, url)
    return status === 200 ? bytes.equals(file.bytes) : status
  }
  await sendChunks(client, file)
  expectAnswer(t, await merge(file), 41, 'success', { url })
  t.equal(await served(), true)

  await rename(stored, `${uploads}-aside`)
  t.equal(await served(), 404)
  expectAnswer(t, await verify(file), 42, WANTED, { data: { existChunks: [] } })
  expectAnswer(t, await merge(file), 41, 'error')
  await rename(`${uploads}-aside`, stored)
  t.equal(await served(), true)
  expectAnswer(t, await verify(file), 42, KNOWN, { data: { url } })

  await rename(stored, `${uploads}-aside`)
  await sendChunks(client, file)
  expectAnswer(t, await merge(file), 41, 'success', { url })
  t.equal(await served(), true, 'sent again')
  t.equal((await stat(stored)).size, file.bytes.length)
})

await t.test('chunks that nobody adds to expire', async (t) => {
  const folder = join(t.testdir({}), 'up')
  const hasty = (await serve(t, { UPLOAD_DIR: folder, CHUNK_TTL: '1s' })).client()
  const { hash, chunks } = randomFile(2 * MEBIBYTE)
  const fields = { fileHash: hash, fileName: 'a.bin' }
  await sendChunk(hasty, hash, 0, chunks[0] ?? Buffer.of())
  while ((await filesBelow(folder)).length > 0) await sleep(50)
  const verified = await hasty.post('/verify/group', fields)
  expectAnswer(t, verified, 42, WANTED, { data: { existChunks: [] } })
  expectAnswer(t, await hasty.post('/merge/group', fields), 41, 'error')
})

/** The same bytes for the same seed. */
function seededBytes(length: number): Buffer {
  const key = Buffer.alloc(16)
  key.writeUInt32LE(SEED)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

function shuffled(items: readonly number[]): number[] {
  const { length } = items
  const orders = fc.shuffledSubarray([...items], { minLength: length, maxLength: length })
  return fc.sample(orders, { seed: SEED, numRuns: 1 })[0] ?? []
}
