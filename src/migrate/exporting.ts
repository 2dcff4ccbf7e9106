import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Session, statement } from '../database/connection.ts'
import { StartupError } from '../startup-error.ts'
import type { WireTimes } from '../wire/times.ts'
import { type UserRow, withStoredHash } from './collections/users.ts'
import { BATCH_BYTES } from './dump/batches.ts'
import { detailsKey, detailsOf } from './details.ts'
import { erasedDetails } from './erased.ts'
import { type Document, textOf } from './extended-json.ts'
import { findKnown, type Known } from './ledger.ts'
import { type Collection, COLLECTIONS, DETAILS, isCollection, type Mapping } from './mapping.ts'
import { restore } from './remainder.ts'
import type { AnyRow } from './translations.ts'
import { TRANSLATIONS } from './translations.ts'
import { loadZones, type TimesOf } from './zones.ts'

const PAGE = 1_000

const snapshot = statement(
  'export_snapshot',
  'set transaction isolation level repeatable read, read only',
)
const keptCollections = statement<[collection: string]>(
  'export_kept_collections',
  'select distinct collection from quarantine order by collection',
)
const kept = statement<[digest: string, reason: string, text: string]>(
  'export_kept',
  `select encode(digest, 'hex'), reason, document_text
  from (
    select *, sum(octet_length(document_text)) over (order by digest)
      - octet_length(document_text) as bytes_before
    from (
      select * from quarantine
      where collection = $1 and (reason = 'id-twice') = $2 and digest > decode($3, 'hex')
      order by digest limit $4
    ) page
  ) measured
  where bytes_before < ${BATCH_BYTES}
  order by digest`,
)

/** What an export works with. */
export interface ExportJob {
  readonly db: Session
  readonly times: WireTimes
  readonly mapping: Mapping
  /** Where the files go. */
  readonly folder: string
}

/**
 * Writes the whole database as the original's collections, in canonical Extended JSON, one
 * document a line: all as of one moment. The server may run meanwhile.
 *
 * @returns how many documents each collection has
 * @throws StartupError when the folder is not empty or cannot be written, or two collections would
 *   have one name
 */
export async function exportDocuments(job: ExportJob): Promise<Map<string, number>> {
  const { db, mapping, folder } = job
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) throw new StartupError(`${folder} is not empty.`)
  const counts = new Map<string, number>()
  await db.transaction(async () => {
    await db.run(snapshot)
    const names = (await db.run(keptCollections)).map(([name]) => name)
    refuseHomonyms(names, mapping)
    const timesOf = await loadZones(db, job.times)
    const details = new LineFile(join(folder, `${DETAILS}.json`))
    for (const collection of COLLECTIONS) {
      const file = new LineFile(join(folder, `${mapping.nameOf(collection)}.json`))
      await writeRows(job, timesOf, collection, file, details)
      await writeKept(job, collection, file)
      counts.set(collection, await file.close())
    }
    for (const name of names.filter((name) => !isCollection(name))) {
      const file = new LineFile(join(folder, `${name}.json`))
      await writeKept(job, name, file)
      counts.set(name, await file.close())
    }
    for (const one of await erasedDetails(db)) await details.write(textOf(one))
    counts.set(DETAILS, await details.close())
  })
  return counts
}

/** What is kept of a foreign collection must not get the name of one of ours. */
function refuseHomonyms(names: readonly string[], mapping: Mapping): void {
  const taken = names.find((name) => !isCollection(name) && mapping.collectionOf(name))
  if (taken === undefined) return
  throw new StartupError(`The quarantine has ${taken}: the mapping must use another name.`)
}

async function writeRows(
  { db, times, mapping }: ExportJob,
  timesOf: TimesOf,
  collection: Collection,
  file: LineFile,
  detailsFile: LineFile,
): Promise<void> {
  const translation = TRANSLATIONS[collection]
  const columns = [...translation.details, ...(translation.places ?? [])]
  // Whoever had to make way for another one's number comes after that one.
  const later: [order: number, document: Document][] = []
  let after = ''
  for (;;) {
    const ids = together(await db.run(translation.page, [after, PAGE]))
    after = ids.at(-1) ?? ''
    if (ids.length === 0) break
    const known = await findOrigins(db, collection, ids)
    const rows = new Map((await translation.find(db, ids)).map((row) => [row.id, row]))
    for (const id of ids) {
      const row = rows.get(id)
      if (row === undefined) continue
      const origin = known.get(id)
      const document = restore(translation.render(row, timesOf(origin)), origin?.remainder)
      const details =
        columns.length === 0 ? undefined : detailsOf(translation, row, document, times, columns)
      if (details !== undefined) {
        await detailsFile.write(textOf({ _id: detailsKey(collection, id), ...details }))
      }
      const whole = mapping.theirs(collection, withHash(collection, document, row))
      if (origin?.mended.includes('group-number-given') === true) {
        later.push([(row as AnyRow & { number: number }).number, whole])
      } else await file.write(textOf(whole))
    }
  }
  for (const [, document] of later.sort(([one], [other]) => one - other)) {
    await file.write(textOf(document))
  }
}

/** As many of the first rows as may be in memory together. */
function together(rows: readonly (readonly [id: string, bytes?: number])[]): string[] {
  let bytes = 0
  const end = rows.findIndex(([, length = 0]) => (bytes += length) >= BATCH_BYTES)
  return rows.slice(0, end === -1 ? undefined : end + 1).map(([id]) => id)
}

/** A group that was dissolved here was imported as one that lived. */
async function findOrigins(
  db: Session,
  collection: Collection,
  ids: readonly string[],
): Promise<Map<string, Known>> {
  const known = await findKnown(db, collection, ids)
  if (collection !== 'dissolved_groups') return known
  return new Map([...(await findKnown(db, 'groups', ids)), ...known])
}

function withHash(collection: Collection, document: Document, row: AnyRow): Document {
  return collection === 'users' ? withStoredHash(document, row as UserRow) : document
}

/**
 * Documents that no row stands for go back as they came, after those of the rows. Of several with
 * one id the one that was the first comes first, so that it is the first for the next import too.
 */
async function writeKept(job: ExportJob, name: string, file: LineFile): Promise<void> {
  for (const isTwin of [false, true]) await writeKeptOf(job, name, isTwin, file)
}

async function writeKeptOf(
  { db, mapping }: ExportJob,
  name: string,
  isTwin: boolean,
  file: LineFile,
): Promise<void> {
  const collection = isCollection(name) ? name : undefined
  let after = ''
  for (;;) {
    const rows = await db.run(kept, [name, isTwin, after, PAGE])
    if (rows.length === 0) return
    for (const [digest, reason, text] of rows) {
      after = digest
      const renamed = collection !== undefined && !['not-decodable', 'field-twice'].includes(reason)
      await file.write(
        renamed ? textOf(mapping.theirs(collection, JSON.parse(text) as Document)) : text,
      )
    }
  }
}

/** A file that is written line by line and is on the disk when it is closed. */
class LineFile {
  readonly #path: string
  readonly #stream: WriteStream
  #lines = 0
  #error: unknown

  constructor(path: string) {
    this.#path = path
    this.#stream = createWriteStream(path, { highWaterMark: 1024 * 1024 })
    this.#stream.once('error', (error) => (this.#error = error))
  }

  async write(line: string): Promise<void> {
    if (this.#error !== undefined) throw this.#failure()
    this.#lines += 1
    if (!this.#stream.write(`${line}\n`)) await Promise.race([once(this.#stream, 'drain')])
  }

  /** @returns how many lines it has */
  async close(): Promise<number> {
    if (this.#error !== undefined) throw this.#failure()
    this.#stream.end()
    await once(this.#stream, 'close')
    const handle = await open(this.#path, 'r')
    await handle.sync()
    await handle.close()
    return this.#lines
  }

  #failure(): StartupError {
    return new StartupError(`${this.#path} cannot be written: ${(this.#error as Error).message}.`)
  }
}
