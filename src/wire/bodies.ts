import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'

/** What is left of a refused body is read up to here; a longer one costs the connection. */
const MOST_DRAINED = 64 * 1024 * 1024

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
  app.addHook('preValidation', async ({ raw: { url = '' } }) => decoded(url))
}

function parseForm(text: string): Record<string, unknown> {
  // The bytes of a form are ASCII; this stands for one that was not even UTF-8.
  if (text.includes('\ufffd')) throw new IllFormed()
  decoded(text)
  return parse(text)
}

/** @throws IllFormed for a percent sequence that is no UTF-8 */
function decoded(text: string): void {
  if (!text.includes('%')) return
  try {
    decodeURIComponent(text)
  } catch {
    throw new IllFormed()
  }
}

/**
 * Reads what is left of a body, because the client reads its answer only after it has sent
 * everything, and the connection is free only then. False when there is too much left.
 */
export function drain(raw: IncomingMessage): Promise<boolean> {
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
