import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Tokens } from '../accounts/tokens.ts'
import { FORBIDDEN, UNAUTHORIZED } from './answers.ts'
import { endpointOf } from './endpoint.ts'

/**
 * Who may call an endpoint: everybody, whoever is logged in, or the user whom the request names
 * in the parameter `as`.
 */
export type Access = 'public' | 'user' | { readonly as: string }

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token came with the request; undefined when none did, as from the unchanged client. */
    caller: string | undefined
  }
}

/**
 * Enforces each route's `access` (behaviour.md 9). Without a token the open mode believes the
 * request; a token that is sent is enforced in both modes.
 */
export function enforceAccess(app: FastifyInstance, mode: 'open' | 'token', tokens: Tokens): void {
  app.decorateRequest('caller', undefined)
  app.addHook('preHandler', async (request, reply) => {
    const { access } = endpointOf(request)
    if (access === undefined || access === 'public') return
    const token = sentToken(request)
    if (token === undefined) return mode === 'open' ? undefined : reply.send(UNAUTHORIZED)
    request.caller = tokens.verify(token)
    if (request.caller === undefined) return reply.send(UNAUTHORIZED)
    if (access === 'user') return
    const input = (request.method === 'POST' ? request.body : request.query) as Record<
      string,
      unknown
    >
    const named = Object.hasOwn(input, access.as) ? input[access.as] : undefined
    return named === request.caller ? undefined : reply.send(FORBIDDEN)
  })
}

function sentToken({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  return bearer ?? (typeof headers.token === 'string' ? headers.token : undefined)
}
