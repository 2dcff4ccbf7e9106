import cors from '@fastify/cors'
import formbody from '@fastify/formbody'
import Fastify, { type FastifyInstance } from 'fastify'
import { accountRoutes } from './accounts/routes.ts'
import type { Context } from './context.ts'
import { fileRoutes } from './files/routes.ts'
import { friendRoutes } from './friends/routes.ts'
import { messageRoutes } from './messages/routes.ts'
import type { Realtime } from './realtime/realtime.ts'
import { enforceAccess } from './wire/access.ts'
import { answerAsDocumented } from './wire/endpoint.ts'
import { refuseStrangers } from './wire/origins.ts'

/** An app as both servers need it: the timeouts that Node leaves off, and who is let in. */
export function createApp({ log, settings }: Context): FastifyInstance {
  const app = Fastify({
    loggerInstance: log,
    bodyLimit: settings.bodyLimit,
    // A 503 would crash the client; what has arrived is still answered while stopping.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: 60_000,
    connectionTimeout: 65_000,
    keepAliveTimeout: 30_000,
  }) as unknown as FastifyInstance
  refuseStrangers(app, settings)
  answerAsDocumented(app)
  return app
}

/** Puts the documented endpoints on an app, one line a feature. */
export async function addEndpoints(
  app: FastifyInstance,
  context: Context,
  realtime: Realtime,
): Promise<void> {
  enforceAccess(app, context.settings.authMode, context.tokens)
  await app.register(cors, { origin: true, maxAge: 86_400 })
  await app.register(formbody)
  app.get('/health', async (_request, reply) => {
    await context.db.pool.query('select 1').catch(() => reply.code(503))
    return { status: reply.statusCode }
  })
  await app.register(accountRoutes(context))
  await app.register(friendRoutes(context, realtime))
  await app.register(messageRoutes(context))
  await app.register(fileRoutes(context))
}
