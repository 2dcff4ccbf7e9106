import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Storage } from './storage.ts'
import { setAside } from './sweep.ts'

/** A chunk that has been stored completely. */
export interface StoredChunk {
  readonly index: number
  readonly path: string
  readonly size: number
}

const code = (error: unknown) => (error as NodeJS.ErrnoException).code

/** The chunks of files that are not joined yet: `.chunks/<fileHash>/<index>`. */
export interface ChunkStore {
  /** Takes over a temporary file; gives whether it is the first chunk in its folder. */
  store(fileHash: string, index: number, part: string): Promise<boolean>
  /** Indexes of the chunks that are there, ascending. */
  list(fileHash: string): Promise<number[]>
  /** The chunks from 0 on where none is missing between; undefined where one is, or none is there. */
  complete(fileHash: string): Promise<StoredChunk[] | undefined>
  /** Takes all chunks of a file away; they are deleted afterwards. */
  discard(fileHash: string): Promise<void>
}

export function createChunkStore(storage: Storage): ChunkStore {
  const folderOf = (fileHash: string) => join(storage.chunks, fileHash)

  const chunks: ChunkStore = {
    async store(fileHash, index, part) {
      const path = join(folderOf(fileHash), String(index))
      let first = false
      // The folder is there but for the first chunk. It needs no sync: a name that a power
      // failure takes is asked for again by `/verify`.
      for (const last of [false, false, true]) {
        try {
          await rename(part, path)
          break
        } catch (error) {
          if (code(error) !== 'ENOENT' || last) throw error
          await mkdir(folderOf(fileHash)).then(
            () => (first = true),
            (cause: unknown) => {
              if (code(cause) !== 'EEXIST') throw cause
            },
          )
        }
      }
      return first
    },
    async list(fileHash) {
      try {
        const names = await readdir(folderOf(fileHash))
        return names.map(Number).sort((one, other) => one - other)
      } catch (error) {
        if (code(error) === 'ENOENT') return []
        throw error
      }
    },
    async complete(fileHash) {
      const indexes = await chunks.list(fileHash)
      if (indexes.length === 0 || indexes.at(-1) !== indexes.length - 1) return undefined
      return Promise.all(
        indexes.map(async (index) => {
          const path = join(folderOf(fileHash), String(index))
          return { index, path, size: (await stat(path)).size }
        }),
      )
    },
    async discard(fileHash) {
      const aside = await setAside(storage, folderOf(fileHash))
      if (aside === undefined) return
      // Deleting a thousand chunks takes a second; what a death leaves of them is swept.
      rm(aside, { recursive: true, force: true }).catch(() => undefined)
    },
  }
  return chunks
}
