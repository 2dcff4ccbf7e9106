import type { Socket } from 'node:net'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** What was sent before a signal has reached this machine this many milliseconds after it. */
const ARRIVING = 50
/** For how long whoever comes is still let in at most, in milliseconds. */
const LONGEST_ARRIVAL = 2_000
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
  let accepted = 0
  let stopping = false
  app.server.on('connection', (connection: Socket) => {
    accepted += 1
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
  })
  // Node.js would keep a connection open after an answer that was on its way.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping) reply.header('connection', 'close')
    done(null, payload)
  })

  // A turn of the event loop accepts one connection; those that still wait would be broken off.
  async function acceptAll(): Promise<void> {
    const deadline = performance.now() + LONGEST_ARRIVAL
    for (let before = -1; before !== accepted && performance.now() < deadline;) {
      before = accepted
      await turn()
      await turn()
    }
  }

  return async () => {
    await pause(ARRIVING)
    await acceptAll()
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
