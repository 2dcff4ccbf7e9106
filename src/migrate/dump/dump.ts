import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { type Document, fromBson, fromJson } from '../extended-json.ts'
import { cutBson } from './bson-stream.ts'
import { DumpError } from './dump-error.ts'
import { cutJson, type JsonPiece } from './json-stream.ts'

const CHUNK = 1024 * 1024
const FILE_NAME = /^(.+)\.(bson|json)(\.gz)?$/

/** A collection in a dump. */
export interface DumpFile {
  /** As the dump calls it. */
  readonly name: string
  readonly path: string
  readonly format: 'bson' | 'json'
  readonly zipped: boolean
  readonly bytes: number
}

/** A document, or what stands where one should: the text of it, or its bytes. */
export type Piece = ({ readonly document: Document } | { readonly broken: string | Buffer }) & {
  /** How long it is in the dump. */
  readonly bytes: number
}

/** Databases that MongoDB itself has; a dump of the whole server has them too. */
const SERVERS_OWN = new Set(['admin', 'config', 'local'])

/**
 * Finds the collections in what mongodump or mongoexport wrote: a folder of files, or a folder
 * with such a folder as its only one, beside those of MongoDB itself.
 *
 * @throws DumpError when there are none, or it is not clear which ones are meant
 */
export async function findDump(folder: string): Promise<DumpFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new DumpError(`The dump ${folder} cannot be read: ${(error as Error).message}.`)
  })
  const files = new Map<string, DumpFile>()
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const [, name = '', format, gz] = FILE_NAME.exec(entry.name) ?? []
    if (format === undefined || !entry.isFile() || isAboutTheDump(entry.name)) continue
    const other = files.get(name)
    const path = join(folder, entry.name)
    if (other !== undefined) {
      throw new DumpError(`The dump has ${name} twice: in ${other.path} and in ${path}.`)
    }
    const { size: bytes } = await stat(path)
    files.set(name, { name, path, format: format as 'bson', zipped: gz !== undefined, bytes })
  }
  if (files.size > 0) return [...files.values()]
  const folders = entries.filter((entry) => entry.isDirectory() && !SERVERS_OWN.has(entry.name))
  if (folders.length === 1) return findDump(join(folder, String(folders[0]?.name)))
  const why = folders.length > 1 ? 'name one of its folders' : 'there is no .bson or .json file'
  throw new DumpError(`The dump ${folder} cannot be read: ${why}.`)
}

function isAboutTheDump(fileName: string): boolean {
  return /\.metadata\.json(\.gz)?$|^prelude\.json|^oplog\.bson/.test(fileName)
}

/** Who is told how the reading of a file goes. */
export interface Reading {
  /** Is told how many bytes more of the file were read. */
  readonly onBytes: (bytes: number) => void
  /** Is told, in one sentence, why what follows in the file cannot be read. */
  readonly onDamage: (sentence: string) => void
}

/** Reads a collection from its beginning, some documents at a time. */
export async function* readPieces(file: DumpFile, reading: Reading): AsyncGenerator<Piece[]> {
  let told = false
  const onDamage = (what: string) => {
    // What was cut off in the archive is cut off in the document too.
    if (!told) reading.onDamage(`${file.path} ${what}.`)
    told = true
  }
  const chunks = chunksOf(file, { ...reading, onDamage })
  if (file.format === 'bson') {
    for await (const documents of cutBson(chunks, onDamage)) yield documents.map(bsonPiece)
  } else {
    for await (const pieces of cutJson(chunks, onDamage)) yield pieces.map(jsonPiece)
  }
}

async function* chunksOf({ path, zipped, bytes }: DumpFile, { onBytes, onDamage }: Reading) {
  // Nothing is no archive, but says what an empty one says.
  if (bytes === 0) return
  const file = createReadStream(path, { highWaterMark: CHUNK })
  let told = 0
  const content = zipped ? file.pipe(createGunzip({ chunkSize: CHUNK })) : file
  // A pipe does not pass errors on.
  file.on('error', (error) => content.destroy(error))
  try {
    for await (const chunk of content) {
      onBytes(file.bytesRead - told)
      told = file.bytesRead
      yield chunk as Buffer
    }
  } catch (error) {
    onDamage(`cannot be read to its end: ${(error as Error).message}`)
  } finally {
    file.destroy()
  }
}

function bsonPiece(bytes: Buffer): Piece {
  try {
    return { document: fromBson(bytes), bytes: bytes.length }
  } catch {
    return { broken: bytes, bytes: bytes.length }
  }
}

function jsonPiece(piece: JsonPiece): Piece {
  return { ...readJson(piece), bytes: piece.bytes.length }
}

function readJson({
  bytes,
  broken,
}: JsonPiece): { document: Document } | { broken: string | Buffer } {
  if (!isUtf8(bytes) || bytes.includes(0)) return { broken: bytes }
  const text = bytes.toString()
  if (broken) return { broken: text.trim() }
  try {
    const document = fromJson(text)
    const raw = rawBytes(document)
    return raw === undefined ? { document } : { broken: raw }
  } catch {
    return { broken: text }
  }
}

/** An export writes bytes that are no document as `{"$binary": ...}`. */
function rawBytes(document: Document): Buffer | undefined {
  const { $binary: binary, ...others } = document
  if (binary === undefined || Object.keys(others).length > 0) return undefined
  const { base64 } = binary as { base64?: unknown }
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined
}
