import { rename, rm } from 'node:fs/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../fault.ts'
import { drain, watchPace } from '../wire/bodies.ts'
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
  /** Bytes of a refused body that are read, so that the connection can be used on. */
  readonly mostDrained: number
  /** Whether to compute the SHA-256 of each file on the way. */
  readonly hash: boolean
  /** The label for the names of its temporary files, by the fields that have arrived. */
  label?(fields: ReadonlyMap<string, string>): string
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
  /** Files that came before the field that says whose they are. */
  const relabel = async () => {
    for (const [index, file] of files.entries()) {
      const part = storage.newPart(options.label?.(fields))
      parts.push(part)
      await rename(file.part, part)
      files[index] = { ...file, part }
    }
  }
  let slow = false
  let release: (() => void) | undefined
  // Whatever reads the body hears of it: the parser, or the file that is being received.
  const stopWatching = watchPace(request.raw, (error) => {
    slow = true
    request.raw.emit('error', error)
  })
  try {
    if (!request.isMultipart()) throw new Refused('not multipart')
    const most = options.fileSize * options.files + ENVELOPE
    const announced = Number(request.headers['content-length'] ?? most)
    if (announced > most) throw new Refused('too large')
    release = await storage.reserve(announced)
    if (release === undefined) throw new Fault('too little free space for uploads')
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
        const part = storage.newPart(options.label?.(fields))
        parts.push(part)
        files.push({
          name: sound(nameOf(one)),
          part,
          ...(await receiveFile(one.file, part, options.hash)),
        })
      } else {
        const { fieldname, value, valueTruncated } = one
        const once = typeof value === 'string' && !valueTruncated && !fields.has(fieldname)
        if (!once) throw new Refused('a field twice, or too long')
        const label = options.label?.(fields)
        fields.set(fieldname, sound(value))
        options.onField?.(fieldname, value)
        if (options.label?.(fields) !== label) await relabel()
      }
    }
    // Whatever follows the last boundary would otherwise stay in the way of the next request.
    request.raw.resume()
    return { fields, files, discard }
  } catch (error) {
    await discard()
    if (slow) void reply.header('connection', 'close')
    else await drain(request.raw, reply, options.mostDrained)
    if (!isClientsFault(error)) throw error
    request.log.info({ err: error }, 'upload refused')
    return undefined
  } finally {
    stopWatching()
    release?.()
  }
}

/**
 * The parser keeps what is no UTF-8 as U+FFFD, and what was meant is lost.
 *
 * @throws Refused for a text that holds one
 */
function sound(text: string): string {
  if (text.includes('\ufffd')) throw new Refused('not well-formed UTF-8')
  return text
}

/** A part that is no text is a file even without a name, whatever the parser's types say. */
function nameOf({ filename }: { readonly filename?: string | undefined }): string {
  return filename ?? ''
}

/** Only the disk fails in system calls other than reading what the client sends. */
function isClientsFault(error: unknown): boolean {
  if (error instanceof Refused) return true
  const { statusCode, syscall, message } = error as NodeJS.ErrnoException & { statusCode?: number }
  if (statusCode !== undefined) return statusCode < 500
  return syscall === 'read' || /multipart|boundary|terminated early|aborted/i.test(message)
}
