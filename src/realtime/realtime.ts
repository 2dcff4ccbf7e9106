import type { FastifyInstance } from 'fastify'
import fastifySocketIo from 'fastify-socket.io'
import type { ServerOptions } from 'socket.io'
import type { Context } from '../context.ts'
import { createDelivery, messageEvents } from '../messages/events.ts'
import { createMessageWriter } from '../messages/writer.ts'
import { noticeEvents } from '../notices/events.ts'
import { createNotices, type Notices } from '../notices/notices.ts'
import { isLetIn } from '../wire/origins.ts'
import { listen, NOT_LOGGED_IN, type Server, type Socket } from './events.ts'
import { createRooms, type Rooms } from './rooms.ts'
import { createSpeaking, speakingEvents } from './speaking.ts'
import { createTurns, type InTurn } from './turns.ts'

/** Larger frames cost the connection (behaviour.md 8). */
const LARGEST_FRAME = 8 * 1024 * 1024

declare module 'fastify' {
  interface FastifyInstance {
    io: Server
  }
}

/** What the HTTP endpoints need of the realtime side. */
export interface Realtime {
  readonly notices: Notices
  readonly rooms: Rooms
  /** The turns that messages and changes of memberships take. */
  readonly inTurn: InTurn
}

/** Puts socket.io on an app, with the eight events of the interface document. */
export async function addRealtime(app: FastifyInstance, context: Context): Promise<Realtime> {
  const { db, log, settings, tokens } = context
  const options: Partial<ServerOptions> & { preClose(done: () => void): void } = {
    cors: { origin: true },
    maxHttpBufferSize: LARGEST_FRAME,
    // `cors` does not stop WebSockets.
    allowRequest: (request, decide) => decide(null, isLetIn(request.headers, settings)),
    // The default one disconnects the sockets, and then this client never comes back.
    preClose: (done) => void app.io.close().finally(done),
  }
  await app.register(fastifySocketIo as never, options)
  const { io } = app

  const rooms = createRooms(io, db)
  const speaking = createSpeaking(rooms, settings.authMode)
  const notices = createNotices(io, db, log)
  const inTurn = createTurns()
  const writer = createMessageWriter(db, inTurn, createDelivery(io))
  const events = {
    ...speakingEvents(rooms, speaking),
    ...messageEvents(db, speaking, writer),
    ...noticeEvents(db, speaking, notices),
  }

  io.use((socket, next) => {
    const { token } = socket.handshake.auth as Record<string, unknown>
    if (token !== undefined) {
      socket.data.caller = typeof token === 'string' ? tokens.verify(token) : undefined
      if (socket.data.caller === undefined) {
        next(new Error(NOT_LOGGED_IN.msg))
        return
      }
    }
    next()
  })
  io.on('connection', (socket: Socket) => {
    listen(socket, events, log)
  })
  return { notices, rooms, inTurn }
}
