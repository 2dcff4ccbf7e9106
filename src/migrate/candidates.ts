import type { Queryable } from '../database/connection.ts'
import { remainderOf } from './remainder.ts'
import {
  findKnown,
  findQuarantined,
  type ImportedDocument,
  type Known,
  recordImported,
  release,
  see,
} from './ledger.ts'
import type { Collection } from './mapping.ts'
import { isRemembered } from './passwords.ts'
import { Reader } from './reader.ts'
import { keepRejects, type Reject } from './rejects.ts'
import { type Reason, Rejection } from './rules.ts'
import type { Run } from './run.ts'
import { markOf, type Source } from './sources.ts'
import type { Translation } from './translation.ts'

/** A document that is on its way to become a row. */
export interface Candidate<Row> {
  readonly source: Source
  readonly reader: Reader
  /** What is known of it from an earlier import; undefined for a new one. */
  readonly known: Known | undefined
  row: Row
  rejection: Rejection | undefined
  /** Of users: what is remembered of the password. */
  password?: string
}

/** A document that is new, or not what it was when it was imported. */
export interface Fresh {
  readonly source: Source
  readonly reader: Reader
  readonly known: Known | undefined
}

/** Documents that can be read, and those that cannot even be looked up. */
export interface Sifted {
  readonly fresh: Fresh[]
  readonly rejects: Reject[]
}

/** Documents with their readers, but for those of which not even the id can be read: `rejects`. */
export function readable(
  run: Run,
  sources: readonly Source[],
  rejects: Reject[],
): { readonly source: Source; readonly reader: Reader }[] {
  return sources.flatMap((source) => {
    try {
      return [{ source, reader: new Reader(source, run.times) }]
    } catch (error) {
      rejects.push(rejectOf(source, error))
      return []
    }
  })
}

/** Leaves out what was imported as it is, and refuses second documents of one id. */
export async function sift(
  run: Run,
  collection: Collection,
  sources: readonly Source[],
): Promise<Sifted> {
  const rejects: Reject[] = []
  const read = readable(run, sources, rejects)
  const ids = read.map(({ reader }) => reader.id)
  const digests = sources.map(({ digest }) => digest)
  const documents = await findKnown(run.db, collection, ids)
  const kept = await findQuarantined(run.db, collection, digests)
  const sightings = await see(
    run.db,
    collection,
    ids,
    read.map(({ source }) => markOf(source)),
  )
  const fresh: Fresh[] = []
  for (const [index, { source, reader }] of read.entries()) {
    const sighting = sightings[index]
    const known = documents.get(reader.id)
    const isSame =
      known?.digest.equals(source.digest) === true &&
      (collection !== 'users' ||
        (await isRemembered(source.password, known.remainder?.password, run.passwords)))
    if (isSame) countUnchanged(run, collection, known)
    else if (sighting === 'again') run.report.of(collection).unchanged += 1
    else if (
      sighting === 'twin' ||
      known?.importId === run.importId ||
      (known !== undefined && kept.get(source.digest.toString('hex')) === 'id-twice')
    ) {
      rejects.push({ source, reason: 'id-twice', detail: reader.id })
    } else fresh.push({ source, reader, known })
  }
  return { fresh, rejects }
}

export function countUnchanged(run: Run, collection: Collection, known: Known): void {
  run.report.of(collection).unchanged += 1
  run.report.mended(collection, known.mended)
}

export function rejectOf(source: Source, error: unknown): Reject {
  if (!(error instanceof Rejection)) throw error
  return { source, reason: error.reason, detail: error.detail }
}

/** Refuses a candidate, unless it was refused already. */
export function refuse(candidate: Candidate<unknown>, reason: Reason, detail = ''): void {
  candidate.rejection ??= new Rejection(reason, detail)
}

/** Those that were not refused. */
export function accepted<Row>(candidates: readonly Candidate<Row>[]): Candidate<Row>[] {
  return candidates.filter(({ rejection }) => rejection === undefined)
}

/** What is remembered of a candidate that became a row. */
export function imported<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  candidate: Candidate<Row>,
): ImportedDocument {
  const { source, reader, row, password } = candidate
  const remainder = remainderOf(source.document, translation.render(row, run.times))
  return {
    id: row.id,
    digest: source.digest,
    read: null,
    mended: [...reader.mended],
    remainder: password === undefined ? remainder : { ...remainder, password },
  }
}

/** Stores what was accepted and keeps what was refused, in one transaction. */
export async function settle<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  candidates: readonly Candidate<Row>[],
  rejects: readonly Reject[] = [],
): Promise<void> {
  const { collection } = translation
  const good = accepted(candidates)
  await run.db.transaction(async () => {
    if (good.length > 0) {
      await translation.store(
        run.db,
        good.map(({ row }) => row),
      )
    }
    await remember(run, run.db, translation, good)
    await keepRejects(run, collection, [...rejects, ...refusedOf(candidates)])
  })
  countImported(run, collection, good)
}

export function countImported(
  run: Run,
  collection: Collection,
  candidates: readonly Candidate<unknown>[],
): void {
  const counts = run.report.of(collection)
  for (const { source, known, reader } of candidates) {
    const same = known?.digest.equals(source.digest) === true && collection !== 'users'
    counts[known === undefined ? 'new' : same ? 'unchanged' : 'changed'] += 1
    run.report.mended(collection, reader.mended)
  }
}

/** Remembers documents that became rows; earlier versions of them leave the quarantine. */
export async function remember<Row extends { readonly id: string }>(
  run: Run,
  db: Queryable,
  translation: Translation<Row>,
  candidates: readonly Candidate<Row>[],
): Promise<void> {
  const { collection } = translation
  await recordImported(
    db,
    run.importId,
    collection,
    candidates.map((candidate) => imported(run, translation, candidate)),
  )
  const ids = candidates.flatMap(({ source: { documentId } }) => documentId ?? [])
  await release(db, collection, ids)
}

/** Those that were refused, as the quarantine takes them. */
export function refusedOf(candidates: readonly Candidate<unknown>[]): Reject[] {
  return candidates.flatMap(({ source, rejection }) =>
    rejection === undefined ? [] : [{ source, reason: rejection.reason, detail: rejection.detail }],
  )
}
