import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Storage } from './storage.ts'
import { removeAtOnce } from './sweep.ts'

/** A chunk that has been stored completely. */
export interface StoredChunk {
  readonly index: number
  readonly path: string
  readonly size: number
}

const code = (error: unknown) => (error as NodeJS.ErrnoException).code

/**
 * The chunks of files that are not joined yet: `.chunks/<fileHash>/<index>`. An empty file in the
 * place of the folder says that the upload was refused as a whole.
 */
export interface ChunkStore {
  /** Takes over a temporary file; false when the upload was refused. */
  store(fileHash: string, index: number, part: string): Promise<boolean>
  /** Deletes the chunks of a file that is too large; the rest of them will be refused. */
  refuse(fileHash: string): Promise<void>
  /** Indexes of the chunks that are there, ascending; undefined when the upload was refused. */
  list(fileHash: string): Promise<number[] | undefined>
  /** The chunks from 0 on where none is missing between; undefined where one is, or none is there. */
  complete(fileHash: string): Promise<StoredChunk[] | undefined>
  discard(fileHash: string): Promise<void>
}

export function createChunkStore(storage: Storage): ChunkStore {
  const folderOf = (fileHash: string) => join(storage.chunks, fileHash)

  const chunks: ChunkStore = {
    async store(fileHash, index, part) {
      const path = join(folderOf(fileHash), String(index))
      // The folder is there but for the first chunk. It needs no sync: a name that a power
      // failure takes is asked for again by `/verify`.
      for (const attempt of ['first', 'second', 'third']) {
        try {
          await rename(part, path)
          return true
        } catch (error) {
          if (code(error) === 'ENOTDIR') return false
          if (code(error) !== 'ENOENT' || attempt === 'third') throw error
          await mkdir(folderOf(fileHash)).catch((cause: unknown) => {
            if (code(cause) !== 'EEXIST') throw cause
          })
        }
      }
      return false
    },
    async refuse(fileHash) {
      const marker = storage.newPart()
      await writeFile(marker, '', { flag: 'wx' })
      await chunks.discard(fileHash)
      // A chunk may have made the folder again meanwhile; then it stays, and will expire.
      await rename(marker, folderOf(fileHash)).catch(() => rm(marker, { force: true }))
    },
    async list(fileHash) {
      try {
        const names = await readdir(folderOf(fileHash))
        return names.map(Number).sort((one, other) => one - other)
      } catch (error) {
        if (code(error) === 'ENOENT') return []
        if (code(error) === 'ENOTDIR') return undefined
        throw error
      }
    },
    async complete(fileHash) {
      const indexes = await chunks.list(fileHash)
      if (indexes === undefined || indexes.length === 0) return undefined
      if (indexes.at(-1) !== indexes.length - 1) return undefined
      return Promise.all(
        indexes.map(async (index) => {
          const path = join(folderOf(fileHash), String(index))
          return { index, path, size: (await stat(path)).size }
        }),
      )
    },
    discard: (fileHash) => removeAtOnce(storage, folderOf(fileHash)),
  }
  return chunks
}
