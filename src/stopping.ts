import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** What was sent before a signal has arrived this many milliseconds after it. */
const ARRIVING = 50
/** For how long requests may take to be answered then; whoever hangs longer is cut off. */
const LONGEST_GRACE = 3_000
const LOOKED_EVERY = 50

/**
 * Prepares an app for its orderly end: stops accepting, answers what has arrived, closes its
 * connections, and those of clients that hang after a while.
 *
 * @returns what does so; called for all apps at once, none accepts while another one ends
 */
export function stoppable(app: FastifyInstance): () => Promise<void> {
  const connections = new Set<Socket>()
  let stopping = false
  app.server.on('connection', (connection: Socket) => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
  })
  // Node.js would keep a connection open after an answer that was on its way.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping) reply.header('connection', 'close')
    done(null, payload)
  })

  return async () => {
    await pause(ARRIVING)
    stopping = true
    app.server.close()
    const idle = setInterval(() => app.server.closeIdleConnections(), LOOKED_EVERY)
    const cut = setTimeout(() => connections.forEach((one) => one.destroy()), LONGEST_GRACE)
    try {
      await app.close()
    } finally {
      clearInterval(idle)
      clearTimeout(cut)
    }
  }
}
