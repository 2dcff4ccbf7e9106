import t from 'tap'
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expectAnswer } from './coverage.ts'
import {
  cut,
  download,
  filesBelow,
  KNOWN,
  md5,
  randomFile,
  sendChunk,
  sendChunks,
  settledFilesBelow,
  WANTED,
} from './files-support.ts'
import { stringAt } from './json.ts'
import { serve } from './server.ts'

const MEBIBYTE = 1024 * 1024

const uploads = join(t.testdir({}), '上传 的文件')
const server = await serve(t, { UPLOAD_DIR: uploads })
const client = server.client()

const verify = (fileHash: string, fileName: string, type = 'private') =>
  client.post(`/verify/${type}`, { fileHash, fileName })
const merge = (fileHash: string, fileName: string, type = 'private') =>
  client.post(`/merge/${type}`, { fileHash, fileName, size: MEBIBYTE })

/** Everything on the disk that belongs to a file. */
const leftovers = async (hash: string) =>
  (await settledFilesBelow(uploads)).filter((path) => path.includes(hash))

await t.test('chunks in any order, repeated, broken off and resumed', async (t) => {
  const file = randomFile(5_000_000)
  const { hash, chunks } = file
  expectAnswer(t, await verify(hash, '电影.mp4'), 42, WANTED, {
    data: { shouldUpload: true, existChunks: [] },
  })
  const first = await Promise.all(
    [3, 0, 3].map((index) => sendChunk(client, hash, index, chunks[index] ?? Buffer.of())),
  )
  for (const answer of first) expectAnswer(t, answer, 40, 'success')
  expectAnswer(t, await verify(hash, '电影.mp4'), 42, WANTED, {
    data: { shouldUpload: true, existChunks: [`${hash}-0`, `${hash}-3`] },
  })
  expectAnswer(t, await merge(hash, '电影.mp4'), 41, 'error')

  const rest = [4, 2, 1, 2, 4, 1].map((index) =>
    sendChunk(client, hash, index, chunks[index] ?? Buffer.of(), 'group'),
  )
  for (const answer of await Promise.all(rest)) expectAnswer(t, answer, 40, 'success')
  const merged = await merge(hash, '电影.mp4')
  expectAnswer(t, merged, 41, 'success', { url: `/${hash}.mp4` })
  const got = await download(client, `/${hash}.mp4`)
  t.ok(got.bytes.equals(file.bytes), 'byte for byte')
  t.same(await leftovers(hash), [`${hash}.mp4`], 'the chunks are gone')

  expectAnswer(t, await verify(hash, '别的.txt', 'group'), 42, KNOWN, {
    data: { shouldUpload: false, url: `/${hash}.mp4` },
  })
  expectAnswer(t, await merge(hash, '别的.txt', 'group'), 41, 'success', { url: `/${hash}.mp4` })
})

await t.test('sixteen merges at once, also of two servers, give one file', async (t) => {
  const settings = { UPLOAD_DIR: uploads, DATABASE_URL: server.databaseUrl }
  const second = await serve(t, settings)
  const file = randomFile(12 * MEBIBYTE + 5)
  await sendChunks(client, file)
  const clients = [client, second.client()]
  const merges = Array.from({ length: 8 }, () =>
    clients.map((one) => one.post('/merge/group', { fileHash: file.hash, fileName: 'a.bin' })),
  )
  const answers = await Promise.all(merges.flat())
  const urls = answers.map((answer) => stringAt(answer.body, 'url'))
  t.same(new Set(urls), new Set([`/${file.hash}.bin`]))
  for (const one of clients) {
    t.ok((await download(one, `/${file.hash}.bin`)).bytes.equals(file.bytes))
  }
  t.same(await leftovers(file.hash), [`${file.hash}.bin`])
})

await t.test('a file that its hash does not prove is joined, but never offered', async (t) => {
  const key = randomBytes(16).toString('hex')
  const wrong = randomFile(2 * MEBIBYTE)
  await sendChunks(client, { ...wrong, hash: key })
  expectAnswer(t, await merge(key, 'a.txt'), 41, 'success', { url: `/${key}.txt` })
  expectAnswer(t, await merge(key, 'a.txt'), 41, 'success', { url: `/${key}.txt` })
  expectAnswer(t, await verify(key, 'a.txt'), 42, WANTED, { data: { existChunks: [] } })

  await sendChunks(client, { ...randomFile(MEBIBYTE), hash: key })
  expectAnswer(t, await merge(key, 'a.txt'), 41, 'success', { url: `/${key}.txt` })
  t.ok((await download(client, `/${key}.txt`)).bytes.equals(wrong.bytes), 'the first one stays')
})

await t.test('a proven file takes the key from one that never was, not the name', async (t) => {
  const right = randomFile(3 * MEBIBYTE)
  const wrong = randomFile(MEBIBYTE)
  await sendChunks(client, { ...wrong, hash: right.hash })
  expectAnswer(t, await merge(right.hash, 'a.bin'), 41, 'success', { url: `/${right.hash}.bin` })
  await sendChunks(client, right)
  const merged = await merge(right.hash, 'a.bin')
  expectAnswer(t, merged, 41, 'success', {
    url: new RegExp(`^/\\d{13}-${right.hash}\\.bin$`),
  })
  const url = stringAt(merged.body, 'url')
  t.ok((await download(client, url)).bytes.equals(right.bytes))
  t.ok((await download(client, `/${right.hash}.bin`)).bytes.equals(wrong.bytes))
  expectAnswer(t, await verify(right.hash, 'a.bin'), 42, KNOWN, { data: { url } })
  expectAnswer(t, await merge(right.hash, 'a.bin'), 41, 'success', { url })
})

await t.test('the plain MD5 proves a file too, and the first file under a key stays', async (t) => {
  const file = randomFile(3 * MEBIBYTE)
  const key = md5(file.bytes)
  await sendChunks(client, { ...file, hash: key })
  expectAnswer(t, await merge(key, 'plain.bin'), 41, 'success', { url: `/${key}.bin` })
  expectAnswer(t, await verify(key, 'plain.bin'), 42, KNOWN, { data: { url: `/${key}.bin` } })

  const original = randomFile(4 * MEBIBYTE)
  const bytes = Buffer.from(original.bytes)
  bytes[MEBIBYTE + 100] = (bytes[MEBIBYTE + 100] ?? 0) ^ 1
  const twin = cut(bytes)
  t.equal(twin.hash, original.hash, 'two files with one sampled hash')
  await sendChunks(client, original)
  await merge(original.hash, 'one.bin')
  await sendChunks(client, twin)
  const second = await merge(twin.hash, 'two.bin')
  expectAnswer(t, second, 41, 'success', { url: `/${original.hash}.bin` })
  const got = await download(client, `/${original.hash}.bin`)
  t.ok(got.bytes.equals(original.bytes))
})

await t.test('names and suffixes', async (t) => {
  const suffixes = {
    ...{ 'a.JPG': '.JPG', 没有后缀: '', '报告.最终版': '', '.env': '.env', 'x.': '' },
    'say %22hi%22 "x".txt': '.txt',
    '笑😀👨‍👩‍👧.zip': '.zip',
    [`${'很'.repeat(296)}.mp4`]: '.mp4',
  }
  for (const [name, suffix] of Object.entries(suffixes)) {
    const file = randomFile(1000)
    await sendChunks(client, file)
    expectAnswer(t, await merge(file.hash, name), 41, 'success', { url: `/${file.hash}${suffix}` })
    const got = await download(client, `/${file.hash}${suffix}`)
    t.ok(got.bytes.equals(file.bytes), name)
    const header = `attachment; filename*=UTF-8''${encodeURIComponent(name)}`
    t.equal(got.headers.get('content-disposition'), header)
  }
})

await t.test('nothing hostile is stored', async (t) => {
  const { hash, chunks } = randomFile(1000)
  const [data = Buffer.of()] = chunks
  const before = await settledFilesBelow(uploads)
  const chunk = { name: 'blob', data }
  const bad = ['../../etc', '..', hash.toUpperCase(), `${hash}/..`, '', `${hash}0`, 'x'.repeat(32)]
  for (const key of bad) {
    const form = { fileHash: key, chunkHash: `${key}-0`, chunk }
    expectAnswer(t, await client.upload('/chat/file/private', form), 40, 'error')
    expectAnswer(t, await merge(key, 'a.txt'), 41, 'error')
    expectAnswer(t, await verify(key, 'a.txt'), 42, 'error')
  }
  const indexes = ['-1', '1.5', '01', '1e3', '1234567', '', ' 1', '../0', '0/../../x', '٣']
  for (const index of indexes) {
    const form = { fileHash: hash, chunkHash: `${hash}-${index}`, chunk }
    expectAnswer(t, await client.upload('/chat/file/private', form), 40, 'error')
  }
  const other = { fileHash: hash, chunkHash: `${'0'.repeat(32)}-0`, chunk }
  expectAnswer(t, await client.upload('/chat/file/private', other), 40, 'error')
  for (const name of ['../../x.txt', 'a/b.txt', 'a\\b.txt', 'a\0.txt', '', 'a\n.txt']) {
    expectAnswer(t, await merge(hash, name), 41, 'error')
    expectAnswer(t, await verify(hash, name), 42, 'error')
  }
  for (const type of ['friend', 'PRIVATE', '%2f', 'undefined', '__proto__']) {
    expectAnswer(t, await sendChunk(client, hash, 0, data, type), 40, 'error')
    expectAnswer(t, await merge(hash, 'a.txt', type), 41, 'error')
    expectAnswer(t, await verify(hash, 'a.txt', type), 42, 'error')
  }
  for (const fields of [
    {},
    { fileHash: hash },
    { fileName: 'a.txt' },
    { fileHash: [hash, hash] },
  ]) {
    expectAnswer(t, await client.post('/merge/private', fields), 41, 'error')
    expectAnswer(t, await client.post('/verify/private', fields), 42, 'error')
  }
  t.same(await settledFilesBelow(uploads), before, 'nothing is left')
})

await t.test('limits', async (t) => {
  const folder = join(t.testdir({}), 'up')
  const small = await serve(t, {
    UPLOAD_DIR: folder,
    FILE_LIMIT: String(2.5 * MEBIBYTE),
    CHUNK_LIMIT: String(MEBIBYTE),
  })
  const limited = small.client()
  const file = randomFile(3 * MEBIBYTE)
  const tooLarge = Buffer.alloc(MEBIBYTE + 1)
  expectAnswer(t, await sendChunk(limited, file.hash, 0, tooLarge), 40, 'error')
  t.same(await settledFilesBelow(folder), [])

  await sendChunks(limited, file)
  const fields = { fileHash: file.hash, fileName: 'a.bin' }
  expectAnswer(t, await limited.post('/merge/private', fields), 41, 'error')
  t.same(await settledFilesBelow(folder), [], 'too large as a whole')

  const other = randomFile(2 * MEBIBYTE)
  const [first = Buffer.of(), second = Buffer.of()] = other.chunks
  expectAnswer(t, await sendChunk(limited, other.hash, 0, first), 40, 'success')
  for (const index of [3, 2047, 999_999]) {
    expectAnswer(t, await sendChunk(limited, other.hash, index, first), 40, 'error')
  }
  expectAnswer(t, await sendChunk(limited, other.hash, 1, second), 40, 'success')
  const merged = await limited.post('/merge/private', { fileHash: other.hash, fileName: 'a.bin' })
  expectAnswer(t, merged, 41, 'success', { url: `/${other.hash}.bin` })
  t.same(
    await settledFilesBelow(folder),
    [`${other.hash}.bin`],
    'a chunk that cannot be harms no other',
  )
})

await t.test('a chunk that is repeated after the merge leaves nothing', async (t) => {
  const file = randomFile(2 * MEBIBYTE)
  await sendChunks(client, file)
  expectAnswer(t, await merge(file.hash, 'a.bin'), 41, 'success', { url: `/${file.hash}.bin` })
  await Promise.all([0, 1, 1, 0].map((index) => repeat(index)))
  t.same(await readdir(join(uploads, '.chunks')), [])
  t.same(await leftovers(file.hash), [`${file.hash}.bin`])

  async function repeat(index: number): Promise<void> {
    const answer = await sendChunk(client, file.hash, index, file.chunks[index] ?? Buffer.of())
    expectAnswer(t, answer, 40, 'success')
  }
})

await t.test('uploads and merges leave some room on the disk', async (t) => {
  const full = await serve(t, {
    UPLOAD_DIR: uploads,
    DATABASE_URL: server.databaseUrl,
    FREE_SPACE_FLOOR: String(2 ** 49),
    LOG_LEVEL: 'silent',
  })
  const before = await settledFilesBelow(uploads)
  const file = randomFile(1000)
  const { hash, chunks } = file
  const answer = await sendChunk(full.client(), hash, 0, chunks[0] ?? Buffer.of())
  expectAnswer(t, answer, 40, 'error')
  t.same(await filesBelow(uploads), before)

  await sendChunks(client, file)
  const fields = { fileHash: hash, fileName: 'a.bin' }
  expectAnswer(t, await full.client().post('/merge/private', fields), 41, 'error')
  t.same(await leftovers(hash), [`.chunks/${hash}/0`], 'the chunks are kept')
  expectAnswer(t, await merge(hash, 'a.bin'), 41, 'success', { url: `/${hash}.bin` })
})
