import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ownerOf, type Storage } from './storage.ts'

/** No upload and no merge leaves its temporary file unchanged for so long. */
const LONGEST_PAUSE = 60 * 60_000

/**
 * Deletes temporary files that nobody will finish, and the chunks of abandoned uploads and of
 * files that are joined.
 *
 * @param joined which of some keys stand for a file that is complete
 * @param starting whether this process has just begun, so that no temporary file is its own
 * @param chunkTtl milliseconds after which chunks that nobody added to are abandoned
 * @returns how many temporary files and chunk folders were deleted
 */
export async function sweep(
  storage: Storage,
  chunkTtl: number,
  joined: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
  starting: boolean,
): Promise<number> {
  let deleted = 0
  for (const name of await readdir(storage.parts)) {
    const owner = ownerOf(name)
    const path = join(storage.parts, name)
    const abandoned =
      owner === 'a dead process' ||
      (owner === 'this process' ? starting : (await age(path)) > LONGEST_PAUSE)
    if (!abandoned) continue
    await rm(path, { recursive: true, force: true })
    deleted += 1
  }
  const keys = await readdir(storage.chunks)
  const obsolete = await joined(keys)
  for (const key of keys) {
    const path = join(storage.chunks, key)
    if (!obsolete.has(key) && (await age(path)) < chunkTtl) continue
    await removeAtOnce(storage, path)
    deleted += 1
  }
  return deleted
}

/** Deletes a folder so that nobody ever sees half of it. */
export async function removeAtOnce(storage: Storage, path: string): Promise<void> {
  const aside = storage.newPart()
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  await rm(aside, { recursive: true, force: true })
}

/** Milliseconds since a file or a folder's list of files changed; 0 for one that is gone. */
async function age(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? 0 : Date.now() - found.mtimeMs
}
