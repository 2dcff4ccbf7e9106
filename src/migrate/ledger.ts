import { type Queryable, statement } from '../database/connection.ts'
import type { Collection } from './mapping.ts'
import type { Remainder } from './remainder.ts'
import type { Mending, Reason } from './rules.ts'

/** What is known of an imported document. */
export interface Known {
  readonly digest: Buffer
  readonly importId: number
  readonly mended: readonly Mending[]
  readonly remainder: Remainder | null
}

const known = statement<
  [
    id: string,
    digest: Buffer,
    importId: number,
    mended: Mending[] | null,
    remainder: Remainder | null,
  ]
>(
  'ledger_known',
  `select id, digest, import_id, mended, remainder from imported_documents
  where collection = $1 and id = any ($2::text[])`,
)

/** What is known of documents, by their ids. */
export async function findKnown(
  db: Queryable,
  collection: Collection,
  ids: readonly string[],
): Promise<Map<string, Known>> {
  const rows = await db.run(known, [collection, ids])
  return new Map(
    rows.map(([id, digest, importId, mended, remainder]) => [
      id,
      { digest, importId, mended: mended ?? [], remainder },
    ]),
  )
}

/** A document that a row stands for. */
export interface ImportedDocument {
  readonly id: string
  readonly digest: Buffer
  readonly read: boolean | null
  readonly mended: readonly Mending[]
  readonly remainder: Remainder | undefined
}

const recorded = statement(
  'ledger_record',
  `insert into imported_documents (collection, id, digest, import_id, read, mended, remainder)
  select $1, id, decode(digest, 'hex'), $2, read, string_to_array(mended, ' '), remainder::json
  from unnest($3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[])
    as i (id, digest, read, mended, remainder)
  on conflict (collection, id) do update set digest = excluded.digest,
    import_id = excluded.import_id, read = excluded.read, mended = excluded.mended,
    remainder = excluded.remainder`,
)

/** Remembers documents that were imported, or imported again. */
export async function recordImported(
  db: Queryable,
  importId: number,
  collection: Collection,
  documents: readonly ImportedDocument[],
): Promise<void> {
  if (documents.length === 0) return
  await db.run(recorded, [collection, importId, ...ledgerColumns(documents)])
}

/** The columns of documents as `unnest` takes them: ids, digests, read, mended, remainders. */
export function ledgerColumns(documents: readonly ImportedDocument[]): unknown[] {
  return [
    documents.map(({ id }) => id),
    documents.map(({ digest }) => digest.toString('hex')),
    documents.map(({ read }) => read),
    documents.map(({ mended }) => (mended.length === 0 ? null : mended.join(' '))),
    documents.map(({ remainder }) => (remainder === undefined ? null : JSON.stringify(remainder))),
  ]
}

/** A document that no row can stand for. */
export interface Quarantined {
  readonly digest: Buffer
  readonly documentId: string | null
  readonly reason: Reason
  readonly detail: string
  readonly text: string
}

// `\u0000` and halves of surrogate pairs are what jsonb refuses in well-formed JSON.
const quarantined = statement(
  'ledger_quarantine',
  `insert into quarantine
    (collection, digest, document_id, reason, detail, document, document_text, import_id)
  select $1, decode(digest, 'hex'), document_id, reason, detail,
    case when is_json and text !~ '\\\\u(0000|d[89a-f])' then text::jsonb end, text, $2
  from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
    as i (digest, document_id, reason, detail, text, is_json)
  on conflict (collection, digest) do update
    set reason = excluded.reason, detail = excluded.detail
    where (quarantine.reason, quarantine.detail) <> (excluded.reason, excluded.detail)`,
)

/** Keeps documents with the reason why they are not imported. */
export async function quarantine(
  db: Queryable,
  importId: number,
  collection: string,
  documents: readonly Quarantined[],
): Promise<void> {
  if (documents.length === 0) return
  const unique = [...new Map(documents.map((one) => [one.digest.toString('hex'), one])).entries()]
  await db.run(quarantined, [
    collection,
    importId,
    unique.map(([digest]) => digest),
    unique.map(([, { documentId }]) => documentId),
    unique.map(([, { reason }]) => reason),
    unique.map(([, { detail }]) => detail),
    unique.map(([, { text }]) => text),
    unique.map(([, { reason }]) => reason !== 'not-decodable'),
  ])
}

const quarantinedAmong = statement<[digest: string, reason: Reason]>(
  'ledger_quarantined',
  `select encode(digest, 'hex'), reason from quarantine
  where collection = $1 and digest = any (select decode(d, 'hex') from unnest($2::text[]) d)`,
)

/** Those of some digests that are in the quarantine, each with its reason. */
export async function findQuarantined(
  db: Queryable,
  collection: string,
  digests: readonly Buffer[],
): Promise<Map<string, Reason>> {
  if (digests.length === 0) return new Map()
  return new Map(
    await db.run(quarantinedAmong, [collection, digests.map((one) => one.toString('hex'))]),
  )
}

const rejectedMade = statement(
  'ledger_make_rejected',
  `create temp table rejected (
    collection text, document_id text, primary key (collection, document_id)
  )`,
)
const rejected = statement(
  'ledger_reject',
  `insert into rejected select $1, unnest($2::text[]) on conflict do nothing`,
)

const seenMade = statement(
  'ledger_make_seen',
  `create temp table seen (
    collection source_collection, id text, mark text not null, primary key (collection, id)
  )`,
)
const seenFirst = statement<[ordinal: number]>(
  'ledger_see',
  `with input as (
    select distinct on (id) id, mark, ordinal
    from unnest($2::text[], $3::text[]) with ordinality as i (id, mark, ordinal)
    order by id, ordinal
  ), added as (
    insert into seen select $1, id, mark from input on conflict do nothing returning id
  )
  select ordinal from input join added using (id)`,
)
const seenAs = statement<[id: string, mark: string]>(
  'ledger_seen',
  'select id, mark from seen where collection = $1 and id = any ($2::text[])',
)

/** Makes ready what a session remembers of the dump that it imports. */
export async function openLedger(db: Queryable): Promise<void> {
  await db.run(rejectedMade)
  await db.run(seenMade)
}

/** What a document is to those that came before it in its collection. */
export type Sighting = 'first' | 'again' | 'twin'

/**
 * Tells documents whose id was not seen before from those that are there again as they were, and
 * from others that have the id of one before them.
 *
 * @param marks equal for equal documents
 */
export async function see(
  db: Queryable,
  collection: Collection,
  ids: readonly string[],
  marks: readonly string[],
): Promise<Sighting[]> {
  const rows = await db.run(seenFirst, [collection, ids, marks])
  const first = new Set(rows.map(([ordinal]) => ordinal - 1))
  if (first.size === ids.length) return ids.map(() => 'first')
  const others = ids.filter((_, index) => !first.has(index))
  const known = new Map(await db.run(seenAs, [collection, others]))
  return ids.map((id, index) => {
    if (first.has(index)) return 'first'
    return known.get(id) === marks[index] ? 'again' : 'twin'
  })
}

/** Remembers for the session that the dump has such documents, and that they were refused. */
export async function noteRejected(
  db: Queryable,
  collection: string,
  documentIds: readonly string[],
): Promise<void> {
  if (documentIds.length > 0) await db.run(rejected, [collection, documentIds])
}

/** What is true of a row `q` of the quarantine that is an earlier version of an imported document. */
export const IS_OUTDATED = `q.reason <> 'id-twice' and not exists (
  select from rejected r where r.collection = q.collection and r.document_id = q.document_id
)`

const released = statement(
  'ledger_release',
  `delete from quarantine q where collection = $1 and document_id = any ($2::text[])
    and ${IS_OUTDATED}`,
)

/** Forgets earlier versions of documents that could be imported after all. */
export async function release(
  db: Queryable,
  collection: Collection,
  documentIds: readonly string[],
): Promise<void> {
  if (documentIds.length > 0) await db.run(released, [collection, documentIds])
}
