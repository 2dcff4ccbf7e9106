import type { FastifyInstance } from 'fastify'
import fastifySocketIo from 'fastify-socket.io'
import type { ServerOptions } from 'socket.io'
import type { Context } from '../context.ts'
import { createDelivery, messageEvents } from '../messages/events.ts'
import { createMessageWriter } from '../messages/writer.ts'
import { noticeEvents } from '../notices/events.ts'
import { createNotices, type Notices } from '../notices/notices.ts'
import { isLetIn, refuseStrangersAtEngine } from '../wire/origins.ts'
import { listen, NOT_LOGGED_IN, type Server, type Socket } from './events.ts'
import { createRooms, type Rooms } from './rooms.ts'
import { createSpeaking, speakingEvents } from './speaking.ts'

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
}

/** Puts socket.io on an app, with the eight events of the interface document. */
export async function addRealtime(app: FastifyInstance, context: Context): Promise<Realtime> {
  const { db, log, settings, tokens } = context
  const options: Partial<ServerOptions> & { preClose(done: () => void): void } = {
    cors: ({ headers }, decide) => decide(null, { origin: isLetIn(headers, settings) }),
    maxHttpBufferSize: LARGEST_FRAME,
    // The default one disconnects the sockets, and then this client never comes back.
    preClose: (done) => void app.io.close().finally(done),
  }
  await app.register(fastifySocketIo as never, options)
  const { io } = app
  io.engine.use(refuseStrangersAtEngine(settings))

  const rooms = createRooms(io, db)
  const speaking = createSpeaking(rooms, settings.authMode)
  const notices = createNotices(io, db, log)
  const writer = createMessageWriter(db, createDelivery(io))
  const events = {
    ...speakingEvents(rooms, speaking),
    ...messageEvents(db, speaking, writer),
    ...noticeEvents(db, speaking, notices),
  }

  io.use((socket, next) => {
    const { token } = socket.handshake.auth as Record<string, unknown>
    socket.data.caller = typeof token === 'string' ? tokens.verify(token) : undefined
    const believed = token === undefined && settings.authMode === 'open'
    if (believed || socket.data.caller !== undefined) next()
    else next(new Error(NOT_LOGGED_IN.msg))
  })
  io.on('connection', (socket: Socket) => {
    listen(socket, events, log)
  })
  return { notices, rooms }
}
