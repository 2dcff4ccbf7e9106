import { type Piece, type DumpFile, readPieces } from './dump/dump.ts'
import { findDetails } from './details.ts'
import { noteSeen } from './earlier.ts'
import { digestOf, type Document, isDocument, textOf } from './extended-json.ts'
import type { Collection } from './mapping.ts'
import { blotted, withoutPassword } from './passwords.ts'
import type { Reject, UndecodableText } from './rejects.ts'
import type { Run } from './run.ts'

/** Longest `_id` that the quarantine looks a document up by. */
const LONGEST_ID = 200

/** A document of the dump, with our names for its fields. */
export interface Source {
  /** Without its password, which a mark stands for. */
  readonly document: Document
  readonly password: string | undefined
  /** What the export that it comes from says about its row beyond the document. */
  readonly details: Document | undefined
  readonly digest: Buffer
  readonly documentId: string | null
}

/** What the dump has of a collection; undefined when it has nothing. */
export function fileOf(run: Run, collection: Collection): DumpFile | undefined {
  const name = run.mapping.nameOf(collection)
  return run.files.find((file) => file.name === name)
}

/**
 * Reads a collection in batches. What is no document, or cannot be renamed, goes to `onBroken`.
 *
 * @param size documents in a batch
 */
export async function* readSources(
  run: Run,
  collection: Collection,
  size: number,
  onBroken: (broken: Reject[]) => Promise<void>,
): AsyncGenerator<Source[]> {
  const file = fileOf(run, collection)
  if (file === undefined) return
  run.progress.step(collection, file.bytes)
  let batch: Piece[] = []
  for await (const pieces of readPieces(file, (bytes) => run.progress.advance(bytes))) {
    for (const piece of pieces) {
      batch.push(piece)
      if (batch.length < size) continue
      yield await toSources(run, collection, batch, onBroken)
      batch = []
    }
  }
  if (batch.length > 0) yield await toSources(run, collection, batch, onBroken)
}

async function toSources(
  run: Run,
  collection: Collection,
  pieces: readonly Piece[],
  onBroken: (broken: Reject[]) => Promise<void>,
): Promise<Source[]> {
  run.report.of(collection).documents += pieces.length
  const broken: Reject[] = []
  const documents: Document[] = []
  for (const piece of pieces) {
    if ('broken' in piece) broken.push(notDecodable(run, collection, piece.broken))
    else {
      const document = run.mapping.ours(collection, piece.document)
      if (document !== undefined) documents.push(document)
      else broken.push({ source: toSource(piece.document), reason: 'field-twice', detail: '' })
    }
  }
  if (broken.length > 0) await onBroken(broken)
  await noteSeen(run.db, collection, documents.flatMap(idOf))
  const kept = documents.filter((one) => !run.erased.mentionedIn(textOf(one)))
  run.report.of(collection).erased += documents.length - kept.length
  const details = await findDetails(run, collection, kept)
  return kept.map((whole, index) => toSource(whole, details[index]))
}

/** A document of the dump as it is imported and compared. */
export function toSource(whole: Document, details?: Document): Source {
  const [document, password] = withoutPassword(whole)
  return {
    document,
    password,
    details,
    digest: digestOf(textOf(document) + (details === undefined ? '' : textOf(details))),
    documentId: documentId(document),
  }
}

function idOf({ _id: id }: Document): string[] {
  const text = isDocument(id) ? id['$oid'] : id
  return typeof text === 'string' ? [text.toLowerCase()] : []
}

function documentId(document: Document): string | null {
  return Object.hasOwn(document, '_id')
    ? textOf(document['_id'] ?? null).slice(0, LONGEST_ID)
    : null
}

/** What stands where a document should, as it is kept. */
export function undecodable(broken: string | Buffer): UndecodableText {
  const text =
    typeof broken === 'string'
      ? broken
      : textOf({ $binary: { base64: broken.toString('base64'), subType: '00' } })
  return { text, digest: digestOf(text) }
}

function notDecodable(run: Run, collection: Collection, broken: string | Buffer): Reject {
  const [key = ''] = Object.keys(run.mapping.theirs(collection, { password: '' }))
  const source = undecodable(collection === 'users' ? blotted(broken, key) : broken)
  return { source, reason: 'not-decodable', detail: '' }
}
