import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import fastifySocketIo from 'fastify-socket.io'
import type { ServerOptions } from 'socket.io'
import type { Context } from '../context.ts'
import { createDelivery } from '../messages/delivery.ts'
import { messageEvents } from '../messages/events.ts'
import { createMessageWriter } from '../messages/writer.ts'
import { noticeEvents } from '../notices/events.ts'
import { createNotices, type Notices } from '../notices/notices.ts'
import type { Declared } from '../wire/access.ts'
import { TOO_MANY } from '../wire/answers.ts'
import { limitSockets, sendSecurityHeadersAtEngine } from '../wire/engine.ts'
import { createAllowance, createLimit } from '../wire/limits.ts'
import { senderBehind } from '../wire/proxies.ts'
import { isLetIn, refuseStrangersAtEngine } from '../wire/origins.ts'
import { closeConnections, refuseWhile } from './closing.ts'
import { NOT_LOGGED_IN, type Server, type Socket } from './events.ts'
import { gatherWrites } from './gathering.ts'
import { createListening } from './listening.ts'
import { createRecovery } from './recovery.ts'
import { createRooms, type Rooms } from './rooms.ts'
import { createSessions, keepSessions, pidOf, returningAdapter } from './sessions.ts'
import { cutSlowReaders } from './slow-readers.ts'
import { createSpeaking, speakingEvents } from './speaking.ts'
import { createTurns, type Turns } from './turns.ts'

/** Larger frames cost the connection (behaviour.md 8). */
const LARGEST_FRAME = 8 * 1024 * 1024
/** Milliseconds for what has arrived to take effect when the server stops. */
const LONGEST_FINISH = 1_500

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
  readonly turns: Turns
  /** Who may send each event. */
  readonly access: readonly Declared[]
}

/** Puts socket.io on an app, with the eight events of the interface document. */
export async function addRealtime(app: FastifyInstance, context: Context): Promise<Realtime> {
  const { db, chatDb, log, settings, tokens } = context
  const sessions = createSessions(db, settings.sessionTtl)
  let stop = () => app.io.close()
  const options: Partial<ServerOptions> & { preClose: (done: () => void) => void } = {
    cors: ({ headers }, decide) => decide(null, { origin: isLetIn(headers, settings) }),
    maxHttpBufferSize: LARGEST_FRAME,
    serveClient: false,
    adapter: returningAdapter(sessions, db),
    // How long is up to the sessions; a token is checked at every return.
    connectionStateRecovery: { skipMiddlewares: false },
    // The default one disconnects the sockets, and then this client never comes back.
    preClose: (done) => void stop().finally(done),
  }
  await app.register(fastifySocketIo as never, options)
  const { io } = app
  let stopping = false
  sendSecurityHeadersAtEngine(io.engine)
  io.engine.use(refuseStrangersAtEngine(settings))
  io.engine.use(refuseWhile(() => stopping))
  limitSockets(io.engine, settings.socketLimit, TOO_MANY, senderBehind(settings.trustedProxies))

  gatherWrites(io)

  const rooms = createRooms(io, db)
  const delivery = await createDelivery(io, chatDb, rooms, log)
  const bookmark = () => String(delivery.watermark)
  const greet = (socket: Socket) => socket.emit('login', socket.id, bookmark())
  const speaking = createSpeaking(db, rooms, sessions, delivery, settings.authMode, greet)
  const notices = createNotices(io, db, log, bookmark)
  const turns = createTurns()
  const writer = createMessageWriter(chatDb, turns, delivery)
  const { replayLimit } = settings
  const recovery = createRecovery(db, rooms, sessions, delivery, notices, replayLimit, log)
  const events = {
    ...speakingEvents(rooms, sessions, speaking, greet),
    ...messageEvents(db, rooms, speaking, writer, createLimit(settings.messageLimit)),
    ...noticeEvents(db, speaking, notices),
  }
  const listening = createListening(events, log)
  const stops = [
    keepSessions(sessions, () => Array.from(io.of('/').sockets.values(), pidOf), log),
    cutSlowReaders(io, replayLimit),
    () => delivery.stop(),
    () => notices.stop(),
    () => listening.stop(),
  ]
  stop = async () => {
    stopping = true
    await closeConnections(io)
    await Promise.race([listening.idle(), pause(LONGEST_FINISH)])
    await writer.finish()
    for (const end of stops) end()
    await io.close()
  }

  io.use((socket, next) => {
    const { token } = socket.handshake.auth as Record<string, unknown>
    const claims = typeof token === 'string' ? tokens.verify(token) : undefined
    socket.data.caller = claims?.userId
    socket.data.expiresAt = claims?.expiresAt
    const believed = token === undefined && settings.authMode === 'open'
    if (believed || socket.data.caller !== undefined) next()
    else next(new Error(NOT_LOGGED_IN.msg))
  })
  io.on('connection', (socket: Socket) => {
    // Without a bookmark it could not come back if the answer to its login were lost.
    if (socket.data.returning === undefined) greet(socket)
    const allowance = createAllowance(settings.eventLimit)
    listening.listen(socket, allowance, (pending) => recovery.recover(socket, pending))
  })
  const access = Object.entries(events)
    .filter(([name]) => name !== 'disconnect')
    .map(([name, one]) => ({ name, access: one.access }))
  return { notices, rooms, turns, access }
}
