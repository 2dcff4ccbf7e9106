import { createHash } from 'node:crypto'
import { createReadStream, type Dirent } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Queryable, type Session, statement } from '../database/connection.ts'
import { files } from '../database/schema.ts'
import { isPicture, mediaTypeOf } from '../files/media.ts'
import { isFileHash, isFileName } from '../files/names.ts'
import { samplesOf } from '../files/sample.ts'
import type { Storage } from '../files/storage.ts'
import { StartupError } from '../startup-error.ts'
import type { Progress } from './progress.ts'
import { absentFiles, findReference, LONGEST_NAME, openReferences } from './upload-references.ts'

/** Bytes of the pieces in which the client uploads; its hash takes samples of each. */
const CHUNK = 1024 * 1024
/** A chunk of a large upload that was never joined. */
const UNFINISHED = /^[0-9a-f]{32}-\d+$/
/** Absent files that are named. */
const MOST_NAMED = 20

const known = statement<[sha256: string]>(
  'uploads_known',
  'select sha256 from files where stored_name = $1',
)
const keyOwner = statement<[storedName: string]>(
  'uploads_key_owner',
  'select stored_name from files where upload_key = $1',
)

/** What taking over or comparing upload folders works with. */
export interface UploadsJob {
  readonly db: Session
  readonly storage: Storage
  readonly folders: readonly string[]
  readonly progress: Progress
}

/** What became of the files of upload folders. */
export interface UploadsOutcome {
  /** Copied now; when verifying, always 0. */
  taken: number
  /** There already, byte for byte. */
  equal: number
  /** All others, with the reason why they were left alone. */
  readonly others: { readonly path: string; readonly why: Untaken }[]
  /** How many files something refers to that the server cannot give. */
  absent: number
  /** The first of them. */
  readonly absentNames: string[]
}

/**
 * Why a file is not taken: a chunk of an upload that was never joined, a hidden file, a name that
 * cannot be served, a link or a device, one that cannot be read, a name that stands for another file
 * here, and, when verifying, a file that is not here or was damaged.
 */
type Untaken =
  'unfinished' | 'hidden' | 'unnameable' | 'no-file' | 'unreadable' | 'different' | 'missing'
/** Those of them that are no loss. */
const HARMLESS: readonly Untaken[] = ['unfinished', 'hidden']

/**
 * Copies the original's uploads into the upload folder under their names, each with its row in
 * `files`: the addresses in messages, moments and profiles stay valid. What is there stays.
 *
 * @throws StartupError when a folder cannot be read
 */
export function takeOverUploads(job: UploadsJob): Promise<UploadsOutcome> {
  return eachUpload(job, async (path, storedName, sha256) => {
    const part = job.storage.newPart()
    try {
      const target = await open(part, 'wx')
      const facts = await readThrough(path, target).finally(() => target.close())
      if (sha256 === undefined) await keep(job, path, storedName, part, facts)
      else await job.storage.replace({ part, storedName })
    } finally {
      await rm(part, { force: true })
    }
    return 'taken'
  })
}

/** Compares upload folders with what the server has, byte for byte. */
export function verifyUploads(job: UploadsJob): Promise<UploadsOutcome> {
  return eachUpload(job, () => Promise.resolve('missing'))
}

/** Whether nothing of the folders is lost. What is absent may have been so in the original. */
export function hasAllUploads({ others }: UploadsOutcome): boolean {
  return others.every(({ why }) => HARMLESS.includes(why))
}

/** Says what became of the files. */
export function describeUploads(outcome: UploadsOutcome): string {
  const { taken, equal, others, absent, absentNames } = outcome
  return [
    `uploads: ${taken} taken over, ${equal} equal, ${others.length} left alone, ${absent} absent`,
    ...others.map(({ path, why }) => `${why}: ${path}`),
    ...absentNames.map((name) => `absent: ${name}`),
  ].join('\n')
}

type Verdict = 'taken' | 'equal' | Untaken
/** Takes what is not here; with a checksum it was here, and is lost or damaged on the disk. */
type OnNew = (path: string, storedName: string, sha256?: string) => Promise<Verdict>

async function eachUpload(job: UploadsJob, onNew: OnNew): Promise<UploadsOutcome> {
  const { db, storage, folders, progress } = job
  const outcome: UploadsOutcome = { taken: 0, equal: 0, others: [], absent: 0, absentNames: [] }
  await openReferences(db)
  const entries = (await Promise.all(folders.map(entriesIn))).flat()
  progress.step('uploads', entries.length)
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const verdict = await judge(job, entry, path, onNew).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).path !== path) throw error
      return 'unreadable' as const
    })
    if (verdict === 'taken' || verdict === 'equal') outcome[verdict] += 1
    else outcome.others.push({ path, why: verdict })
    progress.advance(1)
  }
  for await (const name of absentFiles(db, storage)) {
    outcome.absent += 1
    if (outcome.absentNames.length < MOST_NAMED) outcome.absentNames.push(name)
  }
  progress.end()
  return outcome
}

async function judge(
  { db, storage }: UploadsJob,
  entry: Dirent,
  path: string,
  onNew: OnNew,
): Promise<Verdict> {
  const storedName = basename(path)
  if (storedName.startsWith('.')) return 'hidden'
  // A link may lead anywhere, out of the uploads too.
  if (!entry.isFile()) return 'no-file'
  if (UNFINISHED.test(storedName)) return 'unfinished'
  if (!isFileName(storedName) || Buffer.byteLength(storedName) > LONGEST_NAME) return 'unnameable'
  const [row] = await db.run(known, [storedName])
  if (row === undefined) return onNew(path, storedName)
  const [sha256] = row
  if ((await readThrough(path)).sha256 !== sha256) return 'different'
  const isWhole =
    (await storage.has(storedName)) &&
    (await readThrough(join(storage.folder, storedName))).sha256 === sha256
  return isWhole ? 'equal' : onNew(path, storedName, sha256)
}

/** All that is below a folder: addresses of files never say in which folder they were. */
async function entriesIn(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true })
    const pathOf = ({ parentPath, name }: Dirent) => join(parentPath, name)
    return entries
      .filter((entry) => !entry.isDirectory())
      .sort((one, other) => (pathOf(one) < pathOf(other) ? -1 : 1))
  } catch (error) {
    throw new StartupError(`The uploads ${folder} cannot be read: ${(error as Error).message}.`)
  }
}

/** What a file is, found out in one pass. */
interface Read {
  readonly size: number
  readonly sha256: string
  /** What the client may have called it: the MD5 of all of it, and of its samples. */
  readonly md5s: readonly string[]
}

/** Reads a file; with a target, copies it there and syncs that. */
async function readThrough(path: string, target?: FileHandle): Promise<Read> {
  const [sha256, md5, sampled] = [createHash('sha256'), createHash('md5'), createHash('md5')]
  let size = 0
  let before: Buffer | undefined
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    const bytes = chunk as Buffer
    const writing = target?.writeFile(bytes)
    sha256.update(bytes)
    md5.update(bytes)
    // The first and the last piece count whole; which is the last shows when no other follows.
    if (before !== undefined && size > before.length) {
      sampled.update(samplesOf(before))
    } else if (before !== undefined) sampled.update(before)
    before = bytes
    size += bytes.length
    await writing
  }
  if (before !== undefined) sampled.update(before)
  await target?.datasync()
  return { size, sha256: sha256.digest('hex'), md5s: [md5.digest('hex'), sampled.digest('hex')] }
}

async function keep(
  { db, storage }: UploadsJob,
  path: string,
  storedName: string,
  part: string,
  { size: sizeBytes, sha256, md5s }: Read,
): Promise<void> {
  const row = await findReference(db, storedName)
  const mediaType = await mediaTypeOf(part)
  const [, stamp, named] = /^(\d{13})-(.+)$/s.exec(storedName) ?? []
  const key = storedName.slice(0, 32)
  const isJoined = isFileHash(key) && /^(\.[A-Za-z0-9]{1,10})?$/.test(storedName.slice(32))
  const facts = {
    ...{ storedName, mediaType, sizeBytes, sha256 },
    originalName: named ?? row?.[2] ?? storedName,
    kind: row?.[0] ?? (isJoined || !isPicture(mediaType) ? 'chat_file' : 'chat_picture'),
    uploaderId: row?.[1] ?? null,
    uploadKey: isJoined && (await isFree(db, key)) ? key : null,
    proven: !isJoined || md5s.includes(key),
    createdAt: stamp === undefined ? (await stat(path)).mtime : new Date(Number(stamp)),
  }
  await db.transaction(async () => {
    await db.orm.insert(files).values(facts)
    await storage.replace({ part, storedName })
  })
}

async function isFree(db: Queryable, key: string): Promise<boolean> {
  return (await db.run(keyOwner, [key])).length === 0
}
