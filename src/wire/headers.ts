import type { FastifyInstance } from 'fastify'

/** What every answer tells a browser: it is no page, no script, and nothing to put into a frame. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
}

/** Sends the headers with everything; a route that serves files sets its own instead. */
export function sendSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders)
    // Chats must not lie about on the reader's disk.
    if (request.routeOptions.config.failure !== undefined) reply.header('cache-control', 'no-store')
    done()
  })
}
