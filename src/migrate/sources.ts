import { createHmac, randomBytes } from 'node:crypto'
import { readBatches } from './dump/batches.ts'
import type { DumpFile, Piece, Reading } from './dump/dump.ts'
import { findDetails } from './details.ts'
import { noteSeen } from './earlier.ts'
import { comparableText, digestOf, type Document, isDocument, textOf } from './extended-json.ts'
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
  if (run.mapping.isIgnored(name)) return undefined
  return run.files.find((file) => file.name === name)
}

/** How reading a file shows in a run. */
export function readingOf({ progress, report }: Pick<Run, 'progress' | 'report'>): Reading {
  return {
    onBytes: (bytes) => {
      progress.advance(bytes)
    },
    onDamage: (sentence) => void report.damages.add(sentence),
  }
}

/**
 * Reads a collection in batches. What is no document, or cannot be renamed, goes to `onBroken`.
 *
 * @param size most documents in a batch
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
  for await (const pieces of readBatches(file, size, readingOf(run))) {
    yield await toSources(run, collection, pieces, onBroken)
  }
}

async function toSources(
  run: Run,
  collection: Collection,
  pieces: readonly Piece[],
  onBroken: (broken: Reject[]) => Promise<void>,
): Promise<Source[]> {
  run.report.of(collection).documents += pieces.length
  const passwordKey = collection === 'users' ? run.mapping.passwordKey : undefined
  const broken: Reject[] = []
  const documents: Document[] = []
  for (const piece of pieces) {
    if ('broken' in piece) broken.push(notDecodable(piece.broken, passwordKey))
    else {
      const document = run.mapping.ours(collection, piece.document)
      if (document !== undefined) documents.push(document)
      else {
        const source = toSource(piece.document, { passwordKey })
        broken.push({ source, reason: 'field-twice', detail: '' })
      }
    }
  }
  if (broken.length > 0) await onBroken(broken)
  await noteSeen(run.db, collection, documents.flatMap(idOf))
  const kept = documents.filter((one) => !run.erased.mentionedIn(textOf(one)))
  run.report.of(collection).erased += documents.length - kept.length
  const details = await findDetails(run, collection, kept)
  return kept.map((whole, index) => toSource(whole, { details: details[index], passwordKey }))
}

/**
 * A document of the dump as it is imported and compared: nothing called like a password is in it.
 *
 * @param passwordKey what the dump calls the password of a user, where that may be in it
 */
export function toSource(
  whole: Document,
  {
    details,
    passwordKey = 'password',
  }: { details?: Document | undefined; passwordKey?: string | undefined } = {},
): Source {
  const [document, password] = withoutPassword(whole, passwordKey)
  return {
    document,
    password,
    details,
    digest: digestOf(comparableText(document) + (details === undefined ? '' : textOf(details))),
    documentId: documentId(document),
  }
}

function idOf({ _id: id }: Document): string[] {
  const text = isDocument(id) ? id['$oid'] : id
  return typeof text === 'string' ? [text.toLowerCase()] : []
}

/** A source again, from the texts under which it waited. */
export function sourceOf(document: string, details: string | null): Source {
  return toSource(JSON.parse(document) as Document, {
    details: details === null ? undefined : (JSON.parse(details) as Document),
  })
}

/** Known to this process alone, so that what is made with it tells nobody a password. */
const KEY = randomBytes(32)

/** Equal for equal documents, of people with their passwords. */
export function markOf({ digest, password }: Source): string {
  const mark = password === undefined ? digest : createHmac('sha256', KEY).update(password)
  return Buffer.isBuffer(mark) ? mark.toString('hex') : mark.update(digest).digest('hex')
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

function notDecodable(broken: string | Buffer, passwordKey = 'password'): Reject {
  const source = undecodable(blotted(broken, passwordKey))
  return { source, reason: 'not-decodable', detail: '' }
}
