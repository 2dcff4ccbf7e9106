import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
  type FastifyPluginAsyncZod,
} from 'fastify-type-provider-zod'
import { invalid, type Answer, type FieldError } from './answers.ts'
import type { Access } from './access.ts'
import { drain, drainLimit } from './bodies.ts'
import type { Settings } from '../settings.ts'
import { UNDOCUMENTED } from './fields.ts'

/** What an endpoint of the document declares of itself. */
export interface Endpoint {
  /** What the document says it answers when it fails. */
  failure?: Answer
  /** Whether the document has a 405 list for it. */
  lists405?: boolean
  /** Who may call it. */
  access?: Access
}

declare module 'fastify' {
  interface FastifyContextConfig extends Endpoint {
    /** A second endpoint that the document puts at this url, for the bodies that are `meant`. */
    second?: Endpoint & { readonly meant: (body: unknown) => boolean }
  }
}

/** Which endpoint of the document a request is for. */
export function endpointOf(request: FastifyRequest): Endpoint {
  const { config } = request.routeOptions
  return config.second?.meant(request.body) ? config.second : config
}

/** A feature's routes. */
export type Routes = FastifyPluginAsyncZod

/**
 * Makes an app answer as the document says: HTTP 200 whatever happens at a documented endpoint,
 * with the outcome in the body (behaviour.md 1).
 */
export function answerAsDocumented(app: FastifyInstance, settings: Settings): void {
  const most = drainLimit(settings)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  // A POST without a body fails its rules like one with an empty body.
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.method === 'POST' && request.body == null) request.body = {}
    done()
  })
  app.setErrorHandler((error: FastifyError, request, reply) =>
    answerError(error, request, reply, most),
  )
  app.setNotFoundHandler((request, reply) => {
    void reply.code(404).send({ status: 404, msg: `${request.method} ${request.url} is not there` })
  })
}

async function answerError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  mostDrained: number,
) {
  const { failure, lists405 } = endpointOf(request)
  if (failure === undefined) {
    const status = error.statusCode ?? 500
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    return reply.code(status).send({ status, msg: status < 500 ? error.message : 'error' })
  }
  reply.code(200)
  // Fastify would close the connection, in case that there is more of the body.
  reply.removeHeader('connection')
  if (error.statusCode === 408) reply.header('connection', 'close')
  // Closed while the client still sends, its connection is reset, and the answer lost.
  else if (!request.raw.complete) await drain(request.raw, reply, mostDrained)
  if (hasZodFastifySchemaValidationErrors(error)) {
    const data = lists405 === true ? failedRules(error, request) : []
    return reply.send(data.length > 0 ? invalid(data) : failure)
  }
  const level = error.statusCode !== undefined && error.statusCode < 500 ? 'info' : 'error'
  request.log[level]({ err: error }, 'request failed')
  return reply.send(failure)
}

function failedRules(
  error: { validation: { instancePath: string; message?: string | undefined }[] },
  request: FastifyRequest,
): FieldError[] {
  const body = request.body as Record<string, unknown>
  const rules: FieldError[] = []
  for (const { instancePath, message } of error.validation) {
    const path = instancePath.slice(1)
    // Without a path it is the body as a whole, which no documented rule is about.
    if (path === '' || message === undefined || message === UNDOCUMENTED) continue
    const value = path === 'password' || !Object.hasOwn(body, path) ? undefined : body[path]
    const sent = value === undefined ? {} : { value }
    rules.push({ type: 'field', ...sent, msg: message, path, location: 'body' })
  }
  return rules
}
