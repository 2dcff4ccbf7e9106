import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Fault } from '../fault.ts'
import type { StoredChunk } from './chunks.ts'
import { writeAll } from './incoming.ts'
import { samplesOf } from './sample.ts'

/** What was found out about a file while it was joined. */
export interface Joined {
  readonly size: number
  readonly sha256: string
  /** The client's hash over samples of what was joined. */
  readonly sampled: string
  readonly md5: string | undefined
}

/**
 * Joins chunks in their order into a new file, two at a time in memory, and syncs it.
 *
 * @param withMd5 whether to compute the MD5 too
 * @throws Fault when a chunk changes its size meanwhile
 */
export async function joinChunks(
  chunks: readonly StoredChunk[],
  path: string,
  withMd5: boolean,
): Promise<Joined> {
  const [sha256, sampled] = [createHash('sha256'), createHash('md5')]
  const md5 = withMd5 ? createHash('md5') : undefined
  const last = chunks.length - 1
  let size = 0
  const room = Math.max(...chunks.map((chunk) => chunk.size)) + 1
  // While one chunk is hashed and written, the next one is read into the other buffer.
  const buffers = [Buffer.allocUnsafeSlow(room), Buffer.allocUnsafeSlow(room)] as const
  const load = (index: number) => {
    const chunk = chunks[index]
    return chunk && read(chunk, buffers[(index % 2) as 0 | 1])
  }
  const target = await open(path, 'wx')
  try {
    let data = await load(0)
    for (let index = 0; data !== undefined; index += 1) {
      const reading = load(index + 1)
      // It is looked at only after the writing, which may fail first.
      reading?.catch(() => undefined)
      const writing = writeAll(target, [data])
      sha256.update(data)
      md5?.update(data)
      sampled.update(index === 0 || index === last ? data : samplesOf(data))
      size += data.length
      await writing
      data = await reading
    }
    await target.datasync()
  } finally {
    await target.close()
  }
  return {
    size,
    sha256: sha256.digest('hex'),
    sampled: sampled.digest('hex'),
    md5: md5?.digest('hex'),
  }
}

/** @param buffer has room for a byte more than the chunk, so that one that grew is noticed */
async function read({ path, size }: StoredChunk, buffer: Buffer): Promise<Buffer> {
  const handle = await open(path)
  try {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    if (bytesRead !== size) throw new Fault('a chunk was replaced while it was joined')
    return buffer.subarray(0, size)
  } finally {
    await handle.close()
  }
}
