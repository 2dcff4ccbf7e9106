import { statement } from '../database/connection.ts'
import { type Candidate, countUnchanged, readable, refuse, rejectOf } from './candidates.ts'
import { BATCH_BYTES } from './dump/batches.ts'
import { textOf } from './extended-json.ts'
import { findKnown, findQuarantined, noteRejected, see } from './ledger.ts'
import type { Collection } from './mapping.ts'
import { Reader } from './reader.ts'
import { keepRejects, type Reject } from './rejects.ts'
import type { Reason } from './rules.ts'
import type { Run } from './run.ts'
import { markOf, readSources, type Source, sourceOf } from './sources.ts'
import type { Translation } from './translation.ts'

/*
 * Collections in which several documents may stand for one row, or for two rows that belong
 * together: they are brought together in a table of the session and settled group by group.
 */

const BATCH = 2_000

const made = statement(
  'grouping_make',
  `create temp table if not exists grouped (
    key text collate "C", ordinal bigint generated always as identity,
    document text, details text
  )`,
)
const emptied = statement('grouping_empty', 'truncate grouped')
const filled = statement(
  'grouping_fill',
  `insert into grouped (key, document, details)
  select * from unnest($1::text[], $2::text[], $3::text[])`,
)
const indexed = statement('grouping_index', 'create index on grouped (key, ordinal)')
const unindexed = statement('grouping_unindex', 'drop index if exists grouped_key_ordinal_idx')
const taken = statement<[key: string, ordinal: number, document: string, details: string | null]>(
  'grouping_take',
  `select key, ordinal, document, details
  from (
    select *, sum(octet_length(document)) over (order by key, ordinal) - octet_length(document)
      as bytes_before
    from (
      select * from grouped where (key, ordinal) > ($1, $2::bigint) order by key, ordinal limit $3
    ) page
  ) measured
  where bytes_before < ${BATCH_BYTES}
  order by key, ordinal`,
)

/** The documents of one group, in the order of the dump. */
export type Group<Row> = Candidate<Row>[]

/**
 * Reads a collection and gives its documents group by group, leaving out groups of which nothing is
 * new.
 *
 * @param keyOf what the documents of one group have in common
 * @param settled reason for which documents are kept that need not be looked at again
 */
export async function* readGroups<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  keyOf: (row: Row) => string,
  settled: Reason,
): AsyncGenerator<Group<Row>[]> {
  await stage(run, translation, keyOf)
  let rest: Group<Row> = []
  let [key, ordinal] = ['', 0]
  for (;;) {
    const rows = await run.db.run(taken, [key, ordinal, BATCH])
    const candidates = await lookUp(run, translation, rows)
    const groups = groupBy([...rest, ...candidates], ({ row }) => keyOf(row))
    const last = rows.at(-1)
    if (last === undefined) {
      yield await unsettled(run, translation.collection, [...groups.values()], settled)
      return
    }
    ;[key, ordinal] = last
    // The last group may go on in the next rows.
    rest = groups.get(key) ?? []
    groups.delete(key)
    yield await unsettled(run, translation.collection, [...groups.values()], settled)
  }
}

async function stage<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  keyOf: (row: Row) => string,
): Promise<void> {
  const { collection } = translation
  await run.db.run(made)
  await run.db.run(unindexed)
  await run.db.run(emptied)
  const onBroken = (broken: Reject[]) => keepRejects(run, collection, broken)
  for await (const sources of readSources(run, collection, BATCH, onBroken)) {
    const rejects: Reject[] = []
    const firsts = await firstOfTheirIds(run, collection, sources, rejects)
    const staged = firsts.flatMap(({ source, reader }) => {
      try {
        return [{ key: keyOf(translation.read(reader)), source }]
      } catch (error) {
        rejects.push(rejectOf(source, error))
        return []
      }
    })
    await run.db.run(filled, [
      staged.map(({ key }) => key),
      staged.map(({ source }) => textOf(source.document)),
      staged.map(({ source: { details } }) => (details === undefined ? null : textOf(details))),
    ])
    await keepRejects(run, collection, rejects)
  }
  await run.db.run(indexed)
}

/** Refuses documents whose id another one before them has; one that is there again counts once. */
async function firstOfTheirIds(
  run: Run,
  collection: Collection,
  sources: readonly Source[],
  rejects: Reject[],
): Promise<{ source: Source; reader: Reader }[]> {
  const read = readable(run, sources, rejects)
  const ids = read.map(({ reader }) => reader.id)
  const marks = read.map(({ source }) => markOf(source))
  const sightings = await see(run.db, collection, ids, marks)
  for (const [index, { source, reader }] of read.entries()) {
    if (sightings[index] === 'twin') {
      rejects.push({ source, reason: 'id-twice', detail: reader.id })
    } else if (sightings[index] === 'again') run.report.of(collection).unchanged += 1
  }
  return read.filter((_, index) => sightings[index] === 'first')
}

async function lookUp<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  rows: readonly (readonly [string, number, string, string | null])[],
): Promise<Candidate<Row>[]> {
  const read = rows.map(([, , document, details]) => {
    const source = sourceOf(document, details)
    const reader = new Reader(source, run.times)
    return { source, reader, row: translation.read(reader), rejection: undefined }
  })
  const ids = read.map(({ row }) => row.id)
  const known = await findKnown(run.db, translation.collection, ids)
  return read.map((one) => ({ ...one, known: known.get(one.row.id) }))
}

/** Groups of which something is not as it was when it was imported or refused. */
async function unsettled<Row>(
  run: Run,
  collection: Collection,
  groups: readonly Group<Row>[],
  settled: Reason,
): Promise<Group<Row>[]> {
  const digests = groups.flat().map(({ source }) => source.digest)
  const kept = await findQuarantined(run.db, collection, digests)
  const isImported = ({ source, known }: Candidate<Row>): boolean =>
    known?.digest.equals(source.digest) === true
  const isSettled = (candidate: Candidate<Row>): boolean => {
    const reason = kept.get(candidate.source.digest.toString('hex'))
    return isImported(candidate) || reason === settled || reason === 'id-twice'
  }
  const isOld = (group: Group<Row>) => group.some(isImported) && group.every(isSettled)
  const old = new Set(groups.filter(isOld))
  const settledOnes = [...old].flat()
  for (const candidate of settledOnes) countSettled(run, collection, candidate, kept)
  const refused = settledOnes.filter((candidate) => !isImported(candidate))
  const ids = refused.flatMap(({ source }) => source.documentId ?? [])
  await noteRejected(run.db, collection, ids)
  return groups.filter((group) => !old.has(group))
}

function countSettled(
  run: Run,
  collection: Collection,
  { source, known }: Candidate<unknown>,
  kept: ReadonlyMap<string, Reason>,
): void {
  const reason = kept.get(source.digest.toString('hex'))
  if (known?.digest.equals(source.digest) === true) countUnchanged(run, collection, known)
  else if (reason !== undefined) run.report.quarantined(collection, reason)
}

/**
 * Refuses documents whose id a row in another place has.
 *
 * @param placeOf what no two rows have in common
 */
export async function refuseTwins<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  groups: readonly Group<Row>[],
  placeOf: (row: Row) => string,
): Promise<void> {
  const candidates = groups.flat()
  const rows = await translation.find(
    run.db,
    candidates.map(({ row }) => row.id),
  )
  const places = new Map(rows.map((row) => [row.id, placeOf(row)]))
  for (const candidate of candidates) {
    const { row } = candidate
    if ((places.get(row.id) ?? placeOf(row)) !== placeOf(row)) refuse(candidate, 'id-twice', row.id)
  }
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
