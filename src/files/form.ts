import { rm } from 'node:fs/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../fault.ts'
import { drain } from '../wire/bodies.ts'
import { Refused, receiveFile } from './incoming.ts'
import type { Storage } from './storage.ts'

const MOST_FIELDS = 20
/** Bytes of a body besides its files: fields, headers, boundaries. */
const ENVELOPE = 64 * 1024

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
    if (!(await storage.hasRoom(announced))) throw new Fault('too little free space for uploads')
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
        files.push({
          name: one.filename,
          part,
          ...(await receiveFile(one.file, part, options.hash)),
        })
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

/** Only the disk fails in system calls other than reading what the client sends. */
function isClientsFault(error: unknown): boolean {
  if (error instanceof Refused) return true
  const { statusCode, syscall, message } = error as NodeJS.ErrnoException & { statusCode?: number }
  if (statusCode !== undefined) return statusCode < 500
  return syscall === 'read' || /multipart|boundary|terminated early|aborted/i.test(message)
}
