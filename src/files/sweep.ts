import { lstat, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ownerOf, type Storage } from './storage.ts'

/** No upload and no merge leaves its temporary file unchanged for so long. */
const LONGEST_PAUSE = 60 * 60_000

/** What a sweep asks the table of files. */
export interface Rows {
  /** Which of some keys stand for a file that is complete. */
  readonly joined: (keys: readonly string[]) => Promise<ReadonlySet<string>>
  /** Which of some stored names have rows. */
  readonly named: (storedNames: readonly string[]) => Promise<ReadonlySet<string>>
}

/**
 * Deletes temporary files that nobody will finish, what such a file was claimed as without getting
 * a row, and the chunks of abandoned uploads and of files that are joined.
 *
 * @param starting whether this process has just begun, so that no temporary file is its own
 * @param chunkTtl milliseconds after which chunks that nobody added to are abandoned
 * @returns how many temporary files and chunk folders were deleted
 */
export async function sweep(
  storage: Storage,
  chunkTtl: number,
  rows: Rows,
  starting: boolean,
): Promise<number> {
  const abandoned: string[] = []
  for (const name of await readdir(storage.parts)) {
    const owner = ownerOf(name)
    const path = join(storage.parts, name)
    const isAbandoned =
      owner === 'a dead process' ||
      (owner === 'this process' ? starting : (await age(path)) > LONGEST_PAUSE)
    if (isAbandoned) abandoned.push(path)
  }
  // Before the temporary names, which say that there may be no row.
  await storage.withdraw(await unrecorded(storage, rows, abandoned))
  for (const path of abandoned) await rm(path, { recursive: true, force: true })

  let deleted = abandoned.length
  const keys = await readdir(storage.chunks)
  const obsolete = await rows.joined(keys)
  for (const key of keys) {
    const path = join(storage.chunks, key)
    if (!obsolete.has(key) && (await age(path)) < chunkTtl) continue
    const aside = await setAside(storage, path)
    if (aside !== undefined) await rm(aside, { recursive: true, force: true })
    deleted += 1
  }
  return deleted
}

/** The stored names without rows that temporary files have as well. */
async function unrecorded(
  { folder }: Storage,
  { named }: Rows,
  parts: readonly string[],
): Promise<string[]> {
  const claimed = new Set<bigint>()
  for (const part of parts) {
    const found = await inode(part)
    if (found?.isFile() && found.nlink > 1n) claimed.add(found.ino)
  }
  // Looked for only after a death in that moment: the folder may be large.
  if (claimed.size === 0) return []
  const names: string[] = []
  for (const name of await readdir(folder)) {
    const found = await inode(join(folder, name))
    if (found !== undefined && claimed.has(found.ino)) names.push(name)
  }
  const recorded = await named(names)
  return names.filter((name) => !recorded.has(name))
}

/**
 * Moves a folder to where temporary files are, so that nobody ever sees half of it deleted.
 *
 * @returns its new path, for whoever deletes it; undefined when it is gone already
 */
export async function setAside(storage: Storage, path: string): Promise<string | undefined> {
  const aside = storage.newPart()
  try {
    await rename(path, aside)
    return aside
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Milliseconds since a file or a folder's list of files changed; 0 for one that is gone. */
async function age(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? 0 : Date.now() - found.mtimeMs
}

/** What the disk knows of a file; undefined for one that is gone. */
function inode(path: string) {
  return lstat(path, { bigint: true }).catch(() => undefined)
}
