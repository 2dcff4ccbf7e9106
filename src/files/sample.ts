import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import type { StoredChunk } from './chunks.ts'

/** Chunks looked into at the same time. */
const AT_ONCE = 16

/**
 * The client's `fileHash` of a file in these chunks: the MD5 of its first and last chunk whole,
 * and of each one between the first two bytes, two in its middle, and the last two
 * (behaviour.md 7).
 */
export async function sampledHash(chunks: readonly StoredChunk[]): Promise<string> {
  const hash = createHash('md5')
  const last = chunks.length - 1
  for (let from = 0; from < chunks.length; from += AT_ONCE) {
    const samples = chunks.slice(from, from + AT_ONCE).map((chunk, offset) => {
      const whole = from + offset === 0 || from + offset === last
      return whole ? readFile(chunk.path) : sample(chunk)
    })
    for (const bytes of await Promise.all(samples)) hash.update(bytes)
  }
  return hash.digest('hex')
}

/** The samples of a chunk between the first and the last. */
export function samplesOf(chunk: Buffer): Buffer {
  return Buffer.concat(samplePositions(chunk.length).map((at) => chunk.subarray(at, at + 2)))
}

/** Where the samples begin: each is of two bytes. */
function samplePositions(size: number): number[] {
  return [0, Math.floor(size / 2), Math.max(size - 2, 0)]
}

async function sample({ path, size }: StoredChunk): Promise<Buffer> {
  const handle = await open(path)
  try {
    const pieces = samplePositions(size).map(async (position) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, position)
      return buffer.subarray(0, bytesRead)
    })
    return Buffer.concat(await Promise.all(pieces))
  } finally {
    await handle.close()
  }
}
