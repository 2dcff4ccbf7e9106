import { type Queryable, statement } from '../database/connection.ts'
import type { StoredFile } from '../database/schema.ts'
import type { Storage } from './storage.ts'

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
const namedFiles = statement<[storedName: string]>(
  'files_named',
  'select stored_name from files where stored_name = any ($1)',
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

/** Which of some stored names have rows. */
export async function findNamed(db: Queryable, names: readonly string[]): Promise<Set<string>> {
  return new Set((await db.run(namedFiles, [names])).map(([storedName]) => storedName))
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

/** The row that a key stands for; its file may have been lost. */
export async function findKey(db: Queryable, key: string): Promise<Upload | undefined> {
  const [row] = await db.run(uploadedFile, [key])
  return row && { storedName: row[0], proven: row[1] }
}

/** The file that was joined under a key; undefined when there is none, or it was lost. */
export async function findUpload(
  db: Queryable,
  storage: Storage,
  key: string,
): Promise<Upload | undefined> {
  const known = await findKey(db, key)
  return known && (await storage.has(known.storedName)) ? known : undefined
}

/** What is known of a file besides its stored name. */
export type FileFacts = Pick<
  StoredFile,
  'originalName' | 'kind' | 'mediaType' | 'sizeBytes' | 'sha256'
> & { readonly uploaderId: string | null }
