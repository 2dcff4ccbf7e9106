import { type Queryable, statement } from '../database/connection.ts'
import { readBatches } from './dump/batches.ts'
import type { WireTimes } from '../wire/times.ts'
import { date, type Document, isDocument, type Json, textOf, whole } from './extended-json.ts'
import { type Collection, DETAILS } from './mapping.ts'
import { silent } from './progress.ts'
import { Reader } from './reader.ts'
import { readingOf } from './sources.ts'
import type { Run } from './run.ts'
import type { Translation } from './translation.ts'

/** Details stored at a time. */
const BATCH = 2_000

const made = statement(
  'details_make',
  'create temp table details (key text primary key, details text not null)',
)
const stored = statement(
  'details_store',
  `insert into details select * from unnest($1::text[], $2::text[])
  on conflict (key) do update set details = excluded.details`,
)
const found = statement<[key: string, details: string]>(
  'details_find',
  'select key, details from details where key = any ($1::text[])',
)

/** The key under which an export keeps what a row's document cannot say. */
export function detailsKey(collection: Collection, id: string): string {
  return `${collection} ${id}`
}

/** What some columns of a row say that its document does not, read again; undefined when nothing. */
export function detailsOf<Row extends { readonly id: string }>(
  translation: Translation<Row>,
  row: Row,
  document: Document,
  times: WireTimes,
  columns: readonly string[],
): Document | undefined {
  const again = translation.read(new Reader({ document }, times))
  const details = columns.flatMap((key): [string, Json][] => {
    const [value, read] = [valueAt(row, key), valueAt(again, key)]
    return value === undefined || textOf(value) === textOf(read ?? null) ? [] : [[key, value]]
  })
  return details.length === 0 ? undefined : Object.fromEntries(details)
}

/** A column as a details document has it: a moment or a number. */
function valueAt(row: object, key: string): Json | undefined {
  const value = (row as Record<string, unknown>)[key]
  if (value instanceof Date) return date(value)
  return typeof value === 'number' ? whole(value) : undefined
}

/** Reads what an export says about rows beyond their documents into a table of the session. */
export async function loadDetails({
  db,
  files,
  report,
}: Pick<Run, 'db' | 'files' | 'report'>): Promise<boolean> {
  const file = files.find(({ name }) => name === DETAILS)
  if (file === undefined) return false
  await db.run(made)
  for await (const pieces of readBatches(file, BATCH, readingOf({ progress: silent, report }))) {
    const documents = pieces.flatMap((piece) =>
      'document' in piece && typeof piece.document['_id'] === 'string' ? [piece.document] : [],
    )
    await store(db, documents)
  }
  return true
}

async function store(db: Queryable, documents: readonly Document[]): Promise<void> {
  const rows = new Map(
    documents.map(({ _id: key, ...details }) => [key as string, textOf(details)]),
  )
  await db.run(stored, [[...rows.keys()], [...rows.values()]])
}

/** The details of documents, in their order. */
export async function findDetails(
  { db, detailed }: Pick<Run, 'db' | 'detailed'>,
  collection: Collection,
  documents: readonly Document[],
): Promise<(Document | undefined)[]> {
  if (!detailed) return []
  const keys = documents.map(({ _id: id }) => {
    const text = isDocument(id) ? id['$oid'] : id
    return detailsKey(collection, typeof text === 'string' ? text.toLowerCase() : '')
  })
  const rows = new Map(await db.run(found, [keys]))
  return keys.map((key) => {
    const details = rows.get(key)
    return details === undefined ? undefined : (JSON.parse(details) as Document)
  })
}
