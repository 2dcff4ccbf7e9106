import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { parse } from 'node:querystring'
import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Settings } from '../settings.ts'

/** What is left of a refused body is read up to here at least. */
const LEAST_DRAINED = 64 * 1024 * 1024
/** Files in one body at most (behaviour.md 7). */
export const MOST_FILES = 9
/** Milliseconds that a body may take which is no upload. */
const LONGEST_BODY = 60_000
/** An upload may take as long as it needs, but this many bytes must come in each span of time. */
const LEAST_PACE = { bytes: 30 * 1024, milliseconds: 30_000 }

/** After an answer that ends a connection its client may still send for so many milliseconds. */
const LINGERING = 2_000

/** What was sent came too slowly. */
class TooSlow extends Error {
  readonly statusCode = 408

  constructor() {
    super('The request came too slowly.')
  }
}

/** What was sent is no well-formed Unicode text (behaviour.md 1). */
class IllFormed extends Error {
  readonly statusCode = 400

  constructor() {
    super('The request is not well-formed UTF-8.')
  }
}

/**
 * Reads JSON and urlencoded bodies and query strings, and nothing else. The parsers at hand keep
 * what is no UTF-8 as `%ff` or as U+FFFD, and it would be stored like that.
 */
export async function readWellFormed(app: FastifyInstance): Promise<void> {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (isUtf8(body)) void parseJson(request, body.toString(), done)
      else done(new IllFormed())
    },
  )
  await app.register(formbody, { parser: parseForm })
  app.addHook('preValidation', ({ raw: { url = '' } }, _reply, done) => {
    done(isDecodable(url) ? undefined : new IllFormed())
  })
}

function parseForm(text: string): Record<string, unknown> {
  // The bytes of a form are ASCII; this stands for one that was not even UTF-8.
  if (text.includes('\ufffd') || !isDecodable(text)) throw new IllFormed()
  return parse(text)
}

/** Whether all percent sequences are UTF-8. */
function isDecodable(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/**
 * Refuses bodies that come too slowly, uploads aside: those watch their pace themselves. Node's own
 * `requestTimeout` would cut off uploads that progress, and answer with a real HTTP 408.
 *
 * @param longest milliseconds that a body may take
 */
export function limitDuration(app: FastifyInstance, longest = LONGEST_BODY): void {
  app.addHook('preParsing', (request, _reply, _payload, done) => {
    const { raw } = request
    if (raw.method === 'POST' && !isUpload(raw)) {
      // The parser listens for errors of the body, and answers with the endpoint's failure.
      const timer = setTimeout(() => {
        if (raw.listenerCount('error') > 0) raw.emit('error', new TooSlow())
      }, longest)
      raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
    }
    done()
  })
}

function isUpload({ headers }: IncomingMessage): boolean {
  return /^multipart\/form-data/i.test(headers['content-type'] ?? '')
}

/**
 * Calls back once a body comes too slowly, so that nobody holds a connection with next to nothing.
 *
 * @returns ends the watch
 */
export function watchPace(
  raw: IncomingMessage,
  onSlow: (error: Error) => void,
  { bytes, milliseconds } = LEAST_PACE,
): () => void {
  const { socket } = raw
  let read = socket.bytesRead
  const timer = setInterval(() => {
    const slow = !raw.complete && socket.bytesRead - read < bytes
    read = socket.bytesRead
    if (slow) onSlow(new TooSlow())
  }, milliseconds)
  return () => clearInterval(timer)
}

/** Bytes of a refused body that are read: more than any that is allowed, with some files too large. */
export function drainLimit({ pictureLimit, chunkLimit, bodyLimit }: Settings): number {
  return Math.max(LEAST_DRAINED, 2 * Math.max(MOST_FILES * pictureLimit, chunkLimit, bodyLimit))
}

/**
 * Reads what is left of a body, because the client reads its answer only after it has sent
 * everything, and the connection is free only then. Where there is more left than `most` bytes, or
 * it comes too slowly, the answer says that the connection ends.
 */
export async function drain(raw: IncomingMessage, reply: FastifyReply, most: number) {
  if (await readRest(raw, most)) return
  void reply.header('connection', 'close')
  lingerAfterEnd(raw.socket)
}

/** A connection that is closed with unread data is reset, and the answer lost on its way. */
function lingerAfterEnd(socket: Socket): void {
  // What Node calls once the last answer is written; the body is read, and dropped, meanwhile.
  socket.destroySoon = () => {
    socket.end()
    setTimeout(() => socket.destroy(), LINGERING).unref()
  }
}

function readRest(raw: IncomingMessage, most: number): Promise<boolean> {
  raw.unpipe()
  raw.resume()
  if (raw.readableEnded || raw.destroyed) return Promise.resolve(true)
  return new Promise((resolve) => {
    let left = most
    const end = (whole: boolean) => {
      stopWatching()
      resolve(whole)
    }
    const stopWatching = watchPace(raw, () => end(false))
    raw.on('data', (data: Buffer) => {
      left -= data.length
      if (left < 0) end(false)
    })
    raw.once('close', () => end(true)).once('end', () => end(true))
    raw.once('error', () => end(false))
  })
}
