import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { Context } from '../context.ts'
import type { Routes } from '../wire/endpoint.ts'
import { isStorable } from '../wire/fields.ts'
import { isShownInline, UNKNOWN } from './media.ts'
import { findServed } from './queries.ts'
import type { Storage } from './storage.ts'

const ASSETS = fileURLToPath(new URL('../../assets', import.meta.url))
/** What is sent never changes; a picture of usual size leaves the disk in one read. */
const SENDING: fastifyStatic.SendOptions & { highWaterMark: number } = {
  dotfiles: 'deny',
  index: false,
  contentType: false,
  maxAge: 365 * 24 * 60 * 60_000,
  immutable: true,
  highWaterMark: 128 * 1024,
}
/** Rows remembered: rows never change, and asking for one costs as much as sending a picture. */
const MOST_REMEMBERED = 10_000

/** A file that may be served. */
interface Served {
  readonly folder: string
  readonly mediaType: string
  readonly originalName: string
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The file that is being served. */
    served: Served | undefined
  }
}

const picture = (mediaType: string, originalName: string): [string, Served] => [
  originalName,
  { folder: ASSETS, mediaType, originalName },
]
/** The pictures of those who have not chosen one, under their documented names. */
const DEFAULTS = new Map([
  picture('image/jpeg', 'user_pic1.jpeg'),
  picture('image/jpeg', 'user_pic2.jpeg'),
  picture('image/png', 'user2.png'),
  picture('image/png', 'group_pic.png'),
])

/** Whether a name is that of a picture which the server has of its own. */
export function isDefaultPicture(name: string): boolean {
  return DEFAULTS.has(name)
}

/** `GET /<stored name>`: what was uploaded, and the default pictures; nothing else (behaviour.md 7). */
export function servingRoutes({ db }: Context, { folder }: Storage): Routes {
  const remembered = new Map<string, Served>()

  async function find(name: string): Promise<Served | undefined> {
    const known = DEFAULTS.get(name) ?? remembered.get(name)
    if (known !== undefined) return known
    if (!isStorable(name)) return undefined
    const row = await findServed(db, name)
    if (row === undefined) return undefined
    const served = { folder, ...row }
    if (remembered.size >= MOST_REMEMBERED) remembered.clear()
    remembered.set(name, served)
    return served
  }

  return async (app) => {
    app.decorateRequest('served', undefined)
    await app.register(fastifyStatic, {
      serve: false,
      root: folder,
      // Called for what is sent only: a 404 or 416 must not say that it is a picture.
      setHeaders(reply) {
        void reply.headers(headersOf(reply.request.served))
      },
    })
    app.get<{ Params: { '*': string } }>(
      '/*',
      { config: { access: 'public' } },
      async (request, reply) => {
        const name = request.params['*']
        request.served = await find(name)
        if (request.served !== undefined) {
          return reply.sendFile(name, request.served.folder, SENDING)
        }
        reply.callNotFound()
        return reply
      },
    )
  }
}

/** So that nothing that was uploaded runs in the server's origin, whatever it is. */
function headersOf(served: Served | undefined): Record<string, string> {
  const { mediaType = UNKNOWN, originalName = '' } = served ?? {}
  const safe = {
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
  }
  if (isShownInline(mediaType)) return { ...safe, 'Content-Type': mediaType }
  const fileName = encodeURIComponent(originalName).replace(/['()*]/g, percentEncoded)
  return {
    ...safe,
    'Content-Type': UNKNOWN,
    'Content-Disposition': `attachment; filename*=UTF-8''${fileName}`,
  }
}

function percentEncoded(sign: string): string {
  return `%${sign.charCodeAt(0).toString(16).toUpperCase()}`
}
