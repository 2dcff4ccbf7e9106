import t from 'tap'
import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredChunk } from '../../src/files/chunks.ts'
import { joinChunks } from '../../src/files/join.ts'
import { sampledHash } from '../../src/files/sample.ts'

const md5 = (...pieces: Buffer[]) => createHash('md5').update(Buffer.concat(pieces)).digest('hex')
const folder = t.testdir({})

async function store(chunks: readonly Buffer[]): Promise<StoredChunk[]> {
  const name = randomBytes(6).toString('hex')
  return Promise.all(
    chunks.map(async (chunk, index) => {
      const path = join(folder, `${name}-${index}`)
      await writeFile(path, chunk)
      return { index, path, size: chunk.length }
    }),
  )
}

await t.test('the first and the last chunk are hashed whole', async (t) => {
  const [one, two] = [randomBytes(1000), randomBytes(10)] as const
  t.equal(await sampledHash(await store([one])), md5(one))
  t.equal(await sampledHash(await store([one, two])), md5(one, two))
})

await t.test('of the chunks between, six bytes', async (t) => {
  const MEBIBYTE = 1024 * 1024
  const middle = randomBytes(MEBIBYTE)
  const sample = [0, 524_288, MEBIBYTE - 2].map((from) => middle.subarray(from, from + 2))
  const [first, last] = [randomBytes(MEBIBYTE), randomBytes(7)] as const
  const chunks = [first, ...Array.from({ length: 40 }, () => middle), last]
  const expected = md5(first, ...Array.from({ length: 40 }, () => sample).flat(), last)
  t.equal(await sampledHash(await store(chunks)), expected)
})

await t.test('tiny chunks are no trouble', async (t) => {
  const [a, b, c] = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')] as const
  t.equal(await sampledHash(await store([a, b, c])), md5(a, b, b, b, c))
  t.equal(await sampledHash(await store([a, Buffer.of(), c])), md5(a, c))
})

await t.test('joining gives the bytes in order, and their hashes', async (t) => {
  const chunks = Array.from({ length: 9 }, (_, index) => randomBytes(index * 1000))
  const whole = Buffer.concat(chunks)
  const path = join(folder, 'joined')
  const joined = await joinChunks(await store(chunks), path, true)
  t.ok((await readFile(path)).equals(whole))
  t.same(joined, {
    size: whole.length,
    sha256: createHash('sha256').update(whole).digest('hex'),
    sampled: await sampledHash(await store(chunks)),
    md5: md5(whole),
  })
  const stored = await store(chunks)
  await t.rejects(joinChunks(stored, path, false), { code: 'EEXIST' }, 'never over another file')
})

await t.test('a chunk that changes its size is noticed', async (t) => {
  const sizes = [1000, 2000, 500]
  for (const [index, bytes] of sizes.entries()) {
    for (const change of [1, -1]) {
      const stored = await store(sizes.map((size) => randomBytes(size)))
      await writeFile(stored[index]?.path ?? '', randomBytes(bytes + change))
      const path = join(folder, `changed-${index}-${change}`)
      await t.rejects(joinChunks(stored, path, false), { name: 'Fault' })
    }
  }
})

await t.test('what was joined is sampled, not what was there before', async (t) => {
  const stored = await store([randomBytes(1000), randomBytes(10)])
  const before = await sampledHash(stored)
  await writeFile(stored[1]?.path ?? '', randomBytes(10))
  const joined = await joinChunks(stored, join(folder, 'replaced'), false)
  t.not(joined.sampled, before)
  t.equal(joined.sampled, await sampledHash(stored))
})
