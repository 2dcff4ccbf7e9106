import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { MultipartFile } from '@fastify/multipart'
import { Fault } from '../fault.ts'

/** Data is written in batches, because each write is a trip to another thread. */
const BATCH_BYTES = 1024 * 1024
const BATCH_PIECES = 256

/** A file as the parser hands it over, while it arrives. */
type Source = MultipartFile['file']

/** What the client did wrong; the answer is the endpoint's documented failure. */
export class Refused extends Error {}

/**
 * Writes what arrives to a new file, and syncs it.
 *
 * @param hashed whether to compute its SHA-256 on the way
 * @throws Refused when it is too large, or breaks off
 */
export async function receiveFile(source: Source, path: string, hashed: boolean) {
  const hash = hashed ? createHash('sha256') : undefined
  const handle = await open(path, 'wx')
  try {
    const size = await copy(source, handle, (data) => hash?.update(data))
    await handle.datasync()
    return { size, sha256: hash?.digest('hex') ?? '' }
  } finally {
    source.destroy()
    await handle.close()
  }
}

/**
 * Copies a stream into a file. Neither a pipeline nor an iteration: the one costs as much as all
 * the writes of a chunk, the other joins what it has buffered into a copy.
 *
 * @returns how many bytes there were
 */
function copy(source: Source, target: FileHandle, onData: (data: Buffer) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let size = 0
    let held: Buffer[] = []
    let bytes = 0
    const flush = async () => {
      const batch = held
      held = []
      bytes = 0
      if (batch.length > 0) await writeAll(target, batch)
    }
    const refuse = () => reject(source.errored ?? new Refused('too large, or broken off'))
    source.on('data', (data: Buffer) => {
      onData(data)
      held.push(data)
      bytes += data.length
      size += data.length
      if (bytes < BATCH_BYTES && held.length < BATCH_PIECES) return
      source.pause()
      flush().then(() => source.resume(), reject)
    })
    source.once('end', () => {
      source.off('close', refuse)
      flush().then(() => resolve(size), reject)
    })
    source.once('limit', refuse).once('error', refuse).once('close', refuse)
    // It may have ended badly before anybody listened.
    if (source.truncated || source.destroyed) refuse()
  })
}

/**
 * Appends pieces to a file in one system call.
 *
 * @throws Fault when the disk did not take all of them
 */
export async function writeAll(target: FileHandle, pieces: readonly Buffer[]): Promise<void> {
  const { bytesWritten } = await target.writev(pieces)
  const wanted = pieces.reduce((sum, { length }) => sum + length, 0)
  if (bytesWritten !== wanted) throw new Fault('the disk took less than it was given')
}
