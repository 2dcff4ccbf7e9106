import { eq } from 'drizzle-orm'
import {
  type Database,
  isUniqueViolation,
  type Queryable,
  statement,
} from '../database/connection.ts'
import { files, type StoredFile } from '../database/schema.ts'
import { freshStamp, joinedName, stampedName } from './names.ts'
import type { Storage } from './storage.ts'

/** Uploads of one name in one millisecond that other servers may win before this one. */
const MOST_ATTEMPTS = 5

const servedFile = statement<[mediaType: string, originalName: string]>(
  'files_served',
  'select media_type, original_name from files where stored_name = $1',
)
const uploadedFile = statement<[storedName: string, proven: boolean]>(
  'files_upload',
  'select stored_name, proven from files where upload_key = $1',
)
const provenUploads = statement<[key: string, storedName: string]>(
  'files_proven',
  'select upload_key, stored_name from files where upload_key = any ($1) and proven',
)
const lockedUpload = statement<[storedName: string, proven: boolean]>(
  'files_lock_upload',
  'select stored_name, proven from files where upload_key = $1 for update',
)

/** Which of some keys stand for a file that is proven and on the disk. */
export async function findProven(
  db: Queryable,
  storage: Storage,
  keys: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>()
  for (const [key, storedName] of await db.run(provenUploads, [keys])) {
    if (await storage.has(storedName)) found.add(key)
  }
  return found
}

/** What is needed to serve a file; undefined for a name that is not in the table. */
export async function findServed(db: Queryable, storedName: string) {
  const [row] = await db.run(servedFile, [storedName])
  return row && { mediaType: row[0], originalName: row[1] }
}

/** The file that a key stands for. */
export interface Upload {
  readonly storedName: string
  readonly proven: boolean
}

/** The file that was joined under a key; undefined when there is none, or it was lost. */
export async function findUpload(
  db: Queryable,
  storage: Storage,
  key: string,
): Promise<Upload | undefined> {
  const [row] = await db.run(uploadedFile, [key])
  if (row === undefined || !(await storage.has(row[0]))) return undefined
  return { storedName: row[0], proven: row[1] }
}

/** What is known of a file besides its stored name. */
export type FileFacts = Pick<
  StoredFile,
  'originalName' | 'kind' | 'mediaType' | 'sizeBytes' | 'sha256'
> & { readonly uploaderId: string | null }

/** A finished temporary file. */
export interface Finished {
  readonly part: string
  readonly facts: FileFacts
}

// The row is inserted, the file renamed and its folder synced, and then the row committed. So a
// row is never seen without its file; a crash may leave a file without a row, which is not
// served and which the same name overwrites. Such files are never deleted: with a wrong
// DATABASE_URL they would be all there are.

/**
 * Keeps pictures under `<ms timestamp>-<original name>`, all or none.
 *
 * @returns their stored names, in order
 */
export async function keepPictures(
  db: Database,
  storage: Storage,
  pictures: readonly Finished[],
): Promise<string[]> {
  for (let attempt = 1; ; attempt += 1) {
    const names = pictures.map(({ facts }) => stampedName(freshStamp(), facts.originalName))
    const named = pictures.map(({ part, facts }, index) => ({
      part,
      ...facts,
      storedName: names[index] ?? '',
    }))
    try {
      await db.transaction(async (tx) => {
        await tx.orm.insert(files).values(named)
        await storage.publish(named)
      })
      return names
    } catch (error) {
      if (!isUniqueViolation(error) || attempt === MOST_ATTEMPTS) throw error
    }
  }
}

/** A joined file. */
export interface FinishedUpload extends Finished {
  readonly key: string
  readonly proven: boolean
  readonly chunkCount: number
}

/**
 * Keeps a joined file under its key. The first one under a key stays, except that a proven one
 * takes the key, not the name, from one that never was: or whoever uploads garbage under
 * somebody's key would keep them from sending their file.
 *
 * @returns the stored name that the key stands for from now on
 */
export function keepUpload(
  db: Database,
  storage: Storage,
  upload: FinishedUpload,
): Promise<string> {
  const { key, part, proven, chunkCount, facts } = upload
  return db.transaction(async (tx) => {
    const insert = async (storedName: string) => {
      const inserted = await tx.orm
        .insert(files)
        .values({ ...facts, storedName, uploadKey: key, proven, chunkCount })
        .onConflictDoNothing()
        .returning({ storedName: files.storedName })
      if (inserted.length === 0) return undefined
      await storage.publish([{ part, storedName }])
      return storedName
    }

    const kept = await insert(joinedName(key, facts.originalName))
    if (kept !== undefined) return kept
    const [row] = await tx.run(lockedUpload, [key])
    if (row === undefined) return stamped(insert)
    const [storedName, wasProven] = row
    if (!(await storage.has(storedName))) {
      // The folder was restored from an older backup than the database.
      await tx.orm
        .update(files)
        .set({ ...facts, proven, chunkCount })
        .where(eq(files.storedName, storedName))
      await storage.publish([{ part, storedName }])
      return storedName
    }
    if (wasProven || !proven) return storedName
    await tx.orm.update(files).set({ uploadKey: null }).where(eq(files.storedName, storedName))
    return stamped(insert)
  })

  async function stamped(insert: (storedName: string) => Promise<string | undefined>) {
    const storedName = await insert(stampedName(freshStamp(), joinedName(key, facts.originalName)))
    if (storedName === undefined) throw new Error(`the name for upload ${key} was taken`)
    return storedName
  }
}
