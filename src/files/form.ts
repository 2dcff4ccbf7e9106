import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { type Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Storage } from './storage.ts'

const MOST_FIELDS = 20
/** Bytes of a body besides its files: fields, headers, boundaries. */
const ENVELOPE = 64 * 1024
/** What is left of a refused body is read up to here; a longer one costs the connection. */
const MOST_DRAINED = 64 * 1024 * 1024
/** Data is written in batches, because each write is a trip to another thread. */
const BATCH_BYTES = 1024 * 1024
const BATCH_PIECES = 64

/** A file of a form, complete in a temporary file. */
export interface FormFile {
  /** As the client named it; may be empty. */
  readonly name: string
  readonly part: string
  readonly size: number
  /** Empty unless asked for. */
  readonly sha256: string
}

/** A multipart body that has been received. */
export interface Form {
  readonly fields: ReadonlyMap<string, string>
  readonly files: readonly FormFile[]
  /** Deletes the temporary files that were not renamed. */
  discard(): Promise<void>
}

export interface FormOptions {
  /** Most bytes of one file. */
  readonly fileSize: number
  /** Most files. */
  readonly files: number
  /** Whether to compute the SHA-256 of each file on the way. */
  readonly hash: boolean
  /** Told of each field as soon as it is there. */
  onField?(name: string, value: string): void
}

/** What the client did wrong; the answer is the endpoint's documented failure. */
class Refused extends Error {}

/**
 * Receives a multipart body: any field name is a file's that comes with a file name. Undefined
 * when the body is refused; then nothing is left on disk, and the connection can be used on.
 */
export async function receiveForm(
  request: FastifyRequest,
  reply: FastifyReply,
  storage: Storage,
  options: FormOptions,
): Promise<Form | undefined> {
  const fields = new Map<string, string>()
  const files: FormFile[] = []
  const parts: string[] = []
  const discard = async () => {
    await Promise.all(parts.map((part) => rm(part, { force: true })))
  }
  try {
    if (!request.isMultipart()) throw new Refused('not multipart')
    const most = options.fileSize * options.files + ENVELOPE
    const announced = Number(request.headers['content-length'] ?? most)
    if (announced > most) throw new Refused('too large')
    if (!(await storage.hasRoom(announced))) throw new Error('too little free space for uploads')
    const limits = {
      fileSize: options.fileSize,
      files: options.files,
      fields: MOST_FIELDS,
      parts: options.files + MOST_FIELDS,
      fieldSize: 4096,
      headerSize: 16_384,
    }
    for await (const one of request.parts({ limits })) {
      if (one.type === 'file') {
        const part = storage.newPart()
        parts.push(part)
        one.file.once('limit', () => one.file.destroy(new Refused('too large')))
        const written = await write(one.file, part, options.hash)
        // The limit may have been met before anybody listened.
        if (one.file.truncated) throw new Refused('too large')
        files.push({ name: one.filename, part, ...written })
      } else {
        const { fieldname, value, valueTruncated } = one
        const sound = typeof value === 'string' && !valueTruncated && !fields.has(fieldname)
        if (!sound) throw new Refused('a field twice, or too long')
        fields.set(fieldname, value)
        options.onField?.(fieldname, value)
      }
    }
    // Whatever follows the last boundary would otherwise stay in the way of the next request.
    request.raw.resume()
    return { fields, files, discard }
  } catch (error) {
    await discard()
    if (!(await drain(request.raw))) void reply.header('connection', 'close')
    if (!isClientsFault(error)) throw error
    request.log.info({ err: error }, 'upload refused')
    return undefined
  }
}

/** Writes a stream to a new file, in few large writes, and syncs it. */
async function write(source: Readable, path: string, hashed: boolean) {
  const hash = hashed ? createHash('sha256') : undefined
  const handle = await open(path, 'wx')
  let size = 0
  let held: Buffer[] = []
  let bytes = 0
  const flush = async () => {
    if (bytes === 0) return
    const { bytesWritten } = await handle.writev(held)
    if (bytesWritten !== bytes) throw new Error('the disk took less than it was given')
    held = []
    bytes = 0
  }
  // Iterating over the source instead would copy: it joins all that it has buffered.
  const batches = new Writable({
    highWaterMark: BATCH_BYTES,
    write(data: Buffer, _encoding, done) {
      hash?.update(data)
      held.push(data)
      bytes += data.length
      size += data.length
      if (bytes < BATCH_BYTES && held.length < BATCH_PIECES) done()
      else flush().then(() => done(), done)
    },
    final(done) {
      flush().then(() => done(), done)
    },
  })
  try {
    await pipeline(source, batches)
    await handle.datasync()
    return { size, sha256: hash?.digest('hex') ?? '' }
  } finally {
    await handle.close()
  }
}

/**
 * Reads what is left of a body, because the client reads its answer only after it has sent
 * everything, and the connection is free only then. False when there is too much left.
 */
function drain(raw: IncomingMessage): Promise<boolean> {
  raw.unpipe()
  raw.resume()
  if (raw.readableEnded || raw.destroyed) return Promise.resolve(true)
  return new Promise((resolve) => {
    let left = MOST_DRAINED
    raw.on('data', (data: Buffer) => {
      left -= data.length
      if (left < 0) resolve(false)
    })
    raw.once('close', () => resolve(true)).once('end', () => resolve(true))
  })
}

/** Only the disk fails in system calls other than reading what the client sends. */
function isClientsFault(error: unknown): boolean {
  if (error instanceof Refused) return true
  const { statusCode, syscall, message } = error as NodeJS.ErrnoException & { statusCode?: number }
  if (statusCode !== undefined) return statusCode < 500
  return syscall === 'read' || /multipart|boundary|terminated early|aborted/i.test(message)
}
