import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Queryable, type Session, statement } from '../database/connection.ts'
import { files, type StoredFile } from '../database/schema.ts'
import { isPicture, mediaTypeOf } from '../files/media.ts'
import { isFileHash, isFileName } from '../files/names.ts'
import { samplesOf } from '../files/sample.ts'
import type { Storage } from '../files/storage.ts'
import { StartupError } from '../startup-error.ts'
import type { Progress } from './progress.ts'

/** Bytes of the pieces in which the client uploads; its hash takes samples of each. */
const CHUNK = 1024 * 1024
/** A chunk of a large upload that was never joined. */
const UNFINISHED = /^[0-9a-f]{32}-\d+$/
/** Longest name that the file systems in use allow, in bytes. */
const LONGEST_NAME = 255

const referencesMade = statement(
  'uploads_make_references',
  `create temp table upload_references as
  select distinct on (stored_name) stored_name, kind, user_id, original_name
  from (
    select 1 as weight, substr(avatar_url, 2) as stored_name, 'user_avatar'::file_kind as kind,
      id::text as user_id, null as original_name
    from users
    union all
    select 2, substr(avatar_url, 2), 'group_avatar', owner_id, null from groups
    union all
    select 3, substr(photo, 2), 'space_photo', author_id, null
    from spaces cross join unnest(photos) photo
    union all
    select 4, substring(body from '"url":"/([^"]+)"'),
      case kind when 'picture' then 'chat_picture'::file_kind else 'chat_file' end,
      sender_id, substring(body from '"fileName":"([^"\\\\]+)"')
    from messages where kind in ('picture', 'video', 'file')
  ) r
  where stored_name <> '' and octet_length(stored_name) <= ${LONGEST_NAME}
  order by stored_name, weight, user_id`,
)
const referencesIndexed = statement(
  'uploads_index_references',
  'create index on upload_references (stored_name)',
)
const reference = statement<
  [kind: StoredFile['kind'], userId: string, originalName: string | null]
>(
  'uploads_reference',
  'select kind, user_id, original_name from upload_references where stored_name = $1',
)
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
  /**
   * All others: chunks of unfinished uploads, names that cannot be served, names that stand for
   * another file here, and files that are not here.
   */
  readonly others: {
    readonly path: string
    readonly why: 'unfinished' | 'unnameable' | 'different' | 'missing'
  }[]
}

/**
 * Copies the original's uploads into the upload folder under their names, each with its row in
 * `files`: the addresses in messages, moments and profiles stay valid. What is there stays.
 *
 * @throws StartupError when a folder cannot be read
 */
export async function takeOverUploads(job: UploadsJob): Promise<UploadsOutcome> {
  await job.db.run(referencesMade)
  await job.db.run(referencesIndexed)
  return eachUpload(job, async (path, storedName) => {
    const part = job.storage.newPart()
    try {
      const target = await open(part, 'wx')
      const facts = await readThrough(path, target).finally(() => target.close())
      await keep(job, path, storedName, part, facts)
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

/** Says what became of the files. */
export function describeUploads({ taken, equal, others }: UploadsOutcome): string {
  const counts = `uploads: ${taken} taken over, ${equal} equal, ${others.length} left alone`
  return [counts, ...others.map(({ path, why }) => `${why}: ${path}`)].join('\n')
}

type Verdict = 'taken' | 'equal' | UploadsOutcome['others'][number]['why']

async function eachUpload(
  job: UploadsJob,
  onNew: (path: string, storedName: string) => Promise<Verdict>,
): Promise<UploadsOutcome> {
  const { folders, progress } = job
  const outcome: UploadsOutcome = { taken: 0, equal: 0, others: [] }
  const paths = (await Promise.all(folders.map(filesIn))).flat()
  progress.step('uploads', paths.length)
  for (const path of paths) {
    const verdict = await judge(job, path, onNew)
    if (verdict === 'taken' || verdict === 'equal') outcome[verdict] += 1
    else outcome.others.push({ path, why: verdict })
    progress.advance(1)
  }
  progress.end()
  return outcome
}

async function judge(
  { db, storage }: UploadsJob,
  path: string,
  onNew: (path: string, storedName: string) => Promise<Verdict>,
): Promise<Verdict> {
  const storedName = basename(path)
  if (UNFINISHED.test(storedName)) return 'unfinished'
  if (!isFileName(storedName) || Buffer.byteLength(storedName) > LONGEST_NAME) return 'unnameable'
  const [row] = await db.run(known, [storedName])
  if (row === undefined) return onNew(path, storedName)
  if (!(await storage.has(storedName))) return 'missing'
  return (await readThrough(path)).sha256 === row[0] ? 'equal' : 'different'
}

/** All files below a folder: their addresses never say in which folder they were. */
async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true })
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
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
  const [row] = await db.run(reference, [storedName])
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
