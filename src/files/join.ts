import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import type { StoredChunk } from './chunks.ts'

/** What was found out about a file while it was joined. */
export interface Joined {
  readonly size: number
  readonly sha256: string
  readonly md5: string | undefined
}

/**
 * Joins chunks in their order into a new file, one at a time in memory, and syncs it.
 *
 * @param md5 whether to compute the MD5 too
 */
export async function joinChunks(
  chunks: readonly StoredChunk[],
  path: string,
  md5: boolean,
): Promise<Joined> {
  const sha256Hash = createHash('sha256')
  const md5Hash = md5 ? createHash('md5') : undefined
  let size = 0
  const target = await open(path, 'wx')
  try {
    for (const chunk of chunks) {
      const data = await readFile(chunk.path)
      // Hashing on this thread while another one writes.
      const writing = target.writeFile(data)
      sha256Hash.update(data)
      md5Hash?.update(data)
      size += data.length
      await writing
    }
    await target.datasync()
  } finally {
    await target.close()
  }
  return { size, sha256: sha256Hash.digest('hex'), md5: md5Hash?.digest('hex') }
}
