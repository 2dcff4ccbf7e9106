import cors from '@fastify/cors'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { isUser } from './accounts/queries.ts'
import { accountRoutes } from './accounts/routes.ts'
import type { Context } from './context.ts'
import { fileRoutes } from './files/routes.ts'
import { friendRoutes } from './friends/routes.ts'
import { createApplying } from './groups/applying.ts'
import { createMemberships } from './groups/memberships.ts'
import { groupRoutes } from './groups/routes.ts'
import { messageRoutes } from './messages/routes.ts'
import { noteRoutes } from './notes/routes.ts'
import type { Realtime } from './realtime/realtime.ts'
import { spaceRoutes } from './spaces/routes.ts'
import { type Declared, enforceAccess } from './wire/access.ts'
import { limitDuration, readWellFormed } from './wire/bodies.ts'
import { answerAsDocumented } from './wire/endpoint.ts'
import { sendSecurityHeaders } from './wire/headers.ts'
import { limitRequests } from './wire/limits.ts'
import { refuseStrangers } from './wire/origins.ts'

/** Node itself refuses longer ones. */
const LONGEST_URL = 16_384

/**
 * An app as both servers need it: the timeouts that Node leaves off, and who is let in.
 *
 * @param requestTimeout milliseconds that all of a request may take; 0 where there are uploads, which
 *   `limitDuration` and `watchPace` limit instead: Node would cut off those that progress
 */
export function createApp({ log, settings }: Context, requestTimeout: number): FastifyInstance {
  const logsRequests = log.isLevelEnabled('debug')
  const app = Fastify({
    loggerInstance: log,
    bodyLimit: settings.bodyLimit,
    // Too long a parameter gets its endpoint's failure, like any other that is not known.
    routerOptions: { maxParamLength: LONGEST_URL },
    trustProxy: settings.trustedProxies.length > 0 && [...settings.trustedProxies],
    // A 503 would crash the client; what has arrived is still answered while stopping.
    return503OnClosing: false,
    // Two lines and a logger a request would be the larger part of the log, and of its cost.
    logController: new LogController({ disableRequestLogging: !logsRequests }),
    childLoggerFactory: (logger, bindings, options) =>
      logsRequests ? logger.child(bindings, options) : logger,
    forceCloseConnections: 'idle',
    requestTimeout,
    http: { headersTimeout: 60_000 },
    connectionTimeout: 65_000,
    keepAliveTimeout: 30_000,
  }) as unknown as FastifyInstance
  sendSecurityHeaders(app)
  refuseStrangers(app, settings)
  limitDuration(app)
  answerAsDocumented(app, settings)
  return app
}

/** Puts the documented endpoints on an app, one line a feature. Gives who may use each. */
export async function addEndpoints(
  app: FastifyInstance,
  context: Context,
  realtime: Realtime,
): Promise<readonly Declared[]> {
  const { db, settings, tokens } = context
  const declared = enforceAccess(app, settings.authMode, tokens, (id) => isUser(db, id))
  await app.register(cors, { origin: true, maxAge: 86_400 })
  // After CORS: a page must be able to read that it is over the limit.
  limitRequests(app, settings.requestLimit)
  await readWellFormed(app)
  app.get('/health', { config: { access: 'public' } }, async (_request, reply) => {
    await db.pool.query('select 1').catch(() => reply.code(503))
    return { status: reply.statusCode }
  })
  const memberships = createMemberships(db, realtime)
  const applying = createApplying(memberships, realtime.notices)
  await app.register(accountRoutes(context, applying))
  await app.register(friendRoutes(context, realtime))
  await app.register(groupRoutes(context, realtime, memberships, applying))
  await app.register(messageRoutes(context))
  await app.register(spaceRoutes(context))
  await app.register(noteRoutes(context))
  await app.register(fileRoutes(context))
  return declared
}
