import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Client } from './client.ts'

/** A real picture of one pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** What `/verify` says of a file that is there, and of one that is not. */
export const KNOWN = 'success: 文件不需要重新上传'
export const WANTED = 'success: 文件需要重新上传'

const MEBIBYTE = 1024 * 1024

/** A picture of about so many bytes: what follows the end of a PNG is ignored. */
export function largePng(bytes: number): Buffer {
  return Buffer.concat([PNG, randomBytes(bytes - PNG.length)])
}

/** A file as the client cuts it up. */
export interface CutFile {
  readonly bytes: Buffer
  readonly chunks: readonly Buffer[]
  /** The client's sampled MD5 (behaviour.md 7). */
  readonly hash: string
}

/** Cuts bytes into chunks, and samples them as the client does. */
export function cut(bytes: Buffer): CutFile {
  const chunks: Buffer[] = []
  for (let from = 0; from < bytes.length; from += MEBIBYTE) {
    chunks.push(bytes.subarray(from, from + MEBIBYTE))
  }
  const hash = createHash('md5')
  for (const [index, chunk] of chunks.entries()) {
    if (index === 0 || index === chunks.length - 1) hash.update(chunk)
    else {
      hash.update(chunk.subarray(0, 2))
      hash.update(chunk.subarray(524_288, 524_290))
      hash.update(chunk.subarray(-2))
    }
  }
  return { bytes, chunks, hash: hash.digest('hex') }
}

/** Random bytes, cut up. */
export function randomFile(bytes: number): CutFile {
  return cut(randomBytes(bytes))
}

export function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}

/** Uploads one chunk as the client does. */
export function sendChunk(
  client: Client,
  hash: string,
  index: number,
  data: Uint8Array,
  type = 'private',
): Promise<Answer> {
  const chunk = { name: 'blob', data, type: 'application/octet-stream' }
  return client.upload(`/chat/file/${type}`, {
    fileHash: hash,
    chunkHash: `${hash}-${index}`,
    chunk,
  })
}

/** Uploads all chunks of a file, one after the other. */
export async function sendChunks(client: Client, { hash, chunks }: CutFile): Promise<void> {
  for (const [index, chunk] of chunks.entries()) await sendChunk(client, hash, index, chunk)
}

/** What `GET` answers with, as bytes. */
export async function download(
  client: Client,
  url: string,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const response = await fetch(client.http + encodeURI(url), init)
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes }
}

/** Every file below a folder, as paths relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

/** Like `filesBelow`, once no temporary file is left: chunks are deleted after the answer. */
export async function settledFilesBelow(folder: string): Promise<string[]> {
  for (;;) {
    const paths = await filesBelow(folder)
    if (!paths.some((path) => path.includes('.part'))) return paths
    await sleep(10)
  }
}

/** The header that goes with `multipartBody`. */
export const MULTIPART = { 'content-type': 'multipart/form-data; boundary=x-boundary' }

/** A body with any number of parts, each with headers of its own; for what fetch refuses to send. */
export function multipartBody(
  parts: readonly { headers: string; body: string | Buffer }[],
): Buffer<ArrayBuffer> {
  const pieces = parts.flatMap(({ headers, body }) => [
    Buffer.from(`--x-boundary\r\n${headers}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...pieces, Buffer.from('--x-boundary--\r\n')])
}
