import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Tokens } from '../accounts/tokens.ts'
import { type Answer, FORBIDDEN, UNAUTHORIZED } from './answers.ts'
import { endpointOf } from './endpoint.ts'

/** What somebody can be to the thing whose id a parameter holds. */
export type Role =
  /** the person themselves */
  | 'self'
  /** a friend of the person, or of the space's author */
  | 'friend'
  /** a member of the group, its owner among them */
  | 'member'
  /** the group's owner */
  | 'owner'
  /** who wrote the space, comment or note */
  | 'author'
  /** who wrote the space under which a comment stands */
  | 'host'

/** What whoever acts must be, one of these, each with the parameter that holds the thing's id. */
export type Who = Readonly<Partial<Record<Role, string>>>

/** Who may use an endpoint or event, where that is not everybody. */
export interface Restricted {
  /** The parameter that names who acts; a token that comes along must be theirs. */
  readonly as?: string
  /** The parameter `as` may be missing. */
  readonly optional?: true
  readonly who?: Who
  /** Status of the answer to all who are not: a refusal (403), the failure (404), or a 202. */
  readonly otherwise?: 202 | 403 | 404
}

/** Who may use an endpoint or event: everybody, whoever is logged in, or some only. */
export type Access = 'public' | 'user' | Restricted

/** An endpoint or event as it declares who may use it. */
export interface Declared {
  /** `POST /login`, or the name of an event. */
  readonly name: string
  readonly access: Access
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token came with the request; undefined when none did, as from the unchanged client. */
    caller: string | undefined
  }
}

/**
 * Enforces each route's `access` (behaviour.md 9), but for `who`, which the feature's own queries
 * answer. Without a token the open mode believes the request; a token that is sent is enforced in
 * both modes. A route that does not declare its access stops the start.
 *
 * @param isUser whether a token's user is still there
 * @returns what the routes declare, as they are added
 */
export function enforceAccess(
  app: FastifyInstance,
  mode: 'open' | 'token',
  tokens: Tokens,
  isUser: (id: string) => Promise<boolean>,
): readonly Declared[] {
  const declared: Declared[] = []
  app.addHook('onRoute', ({ method, url, config = {} }) => {
    if (method === 'HEAD' || method === 'OPTIONS') return
    for (const { access } of config.second === undefined ? [config] : [config, config.second]) {
      if (access === undefined) throw new Error(`${String(method)} ${url} declares no access`)
      declared.push({ name: `${String(method)} ${url}`, access })
    }
  })
  app.decorateRequest('caller', undefined)
  app.addHook('preHandler', (request, reply, done) => {
    const { access } = endpointOf(request)
    const refusal = refusalOf(request, access ?? 'public', mode, tokens)
    if (refusal !== undefined) {
      void reply.send(refusal)
    } else if (access === 'user' && request.caller !== undefined) {
      // Elsewhere nothing is theirs any more; here a token is all that is asked for.
      isUser(request.caller).then((is) => (is ? done() : void reply.send(UNAUTHORIZED)), done)
    } else {
      done()
    }
  })
  return declared
}

/** What a request is refused with for its token, or for the lack of one; notes its caller. */
function refusalOf(
  request: FastifyRequest,
  access: Access,
  mode: 'open' | 'token',
  tokens: Tokens,
): Answer | undefined {
  if (access === 'public') return undefined
  const token = sentToken(request)
  if (token === undefined) return mode === 'open' ? undefined : UNAUTHORIZED
  request.caller = tokens.verify(token)?.userId
  if (request.caller === undefined) return UNAUTHORIZED
  if (access === 'user' || access.as === undefined) return undefined
  const { method, body, query } = request
  const input = (method === 'POST' ? body : query) as Record<string, unknown>
  const named = Object.hasOwn(input, access.as) ? input[access.as] : undefined
  if (named === undefined && access.optional) return undefined
  return named === request.caller ? undefined : FORBIDDEN
}

/**
 * Whether somebody whose token came along is none of those who may; without a token they are
 * believed, or have been refused before (behaviour.md 9).
 *
 * @param allowed ids of those who may; undefined where there is no such thing, so that nobody
 *   learns whether there is one
 */
export function isForbidden(
  caller: string | undefined,
  ...allowed: readonly (string | undefined)[]
): boolean {
  return caller !== undefined && !allowed.includes(caller)
}

function sentToken({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  return bearer ?? (typeof headers.token === 'string' ? headers.token : undefined)
}
