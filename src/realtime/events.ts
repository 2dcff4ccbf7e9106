import type { Socket as AnySocket, Server as AnyServer } from 'socket.io'
import type { Logger } from 'pino'
import type { z } from 'zod'

/** What a socket knows of whoever is behind it. */
export interface SocketData {
  /** For whom it speaks; undefined for nobody. */
  userId?: string | undefined
  /** Whose token came with the handshake; undefined when none did. */
  caller?: string | undefined
  /** For whom it spoke before its connection was lost, and its bookmark. */
  returning?: { readonly userId: string; readonly offset: string }
  /** It may have spoken for somebody, but the database could not say for whom. */
  unavailable?: boolean
}
type Listened = Record<string, (...args: never[]) => void>
type Emitted = Record<string, (...args: unknown[]) => void>
export type Socket = AnySocket<Listened, Emitted, Record<string, never>, SocketData>
export type Server = AnyServer<Listened, Emitted, Record<string, never>, SocketData>

/** What an acknowledgement callback receives (behaviour.md 8). */
export interface EventAnswer {
  readonly status: number
  readonly msg: string
  readonly _id?: string
  readonly time?: string
}

export const DONE: EventAnswer = { status: 200, msg: 'success' }
export const NOT_LOGGED_IN: EventAnswer = { status: 401, msg: '登录已失效, 请重新登录' }
export const SPEAKS_FOR_ANOTHER: EventAnswer = { status: 403, msg: '无权操作' }
export const NO_SUCH_TARGET: EventAnswer = { status: 404, msg: '用户或群聊不存在' }
export const MALFORMED: EventAnswer = { status: 405, msg: '参数错误' }
export const TOO_MANY: EventAnswer = { status: 429, msg: '操作过于频繁, 请稍后再试' }
export const EVENT_FAILED: EventAnswer = { status: 500, msg: '服务器错误' }

/** The answer, or the promise of one that later events of the socket need not wait for. */
export type EventOutcome = EventAnswer | { readonly later: Promise<EventAnswer> }

/** One event that clients may send. */
export interface EventHandler {
  readonly args: z.ZodType
  handle(socket: Socket, args: never): EventOutcome | Promise<EventOutcome>
}

/** Ties the type of an event's arguments to its handler. */
export function event<Args extends z.ZodType>(
  args: Args,
  handle: (socket: Socket, args: z.output<Args>) => EventOutcome | Promise<EventOutcome>,
): EventHandler {
  return { args, handle }
}

/** A feature's events by name. */
export type Events = Readonly<Record<string, EventHandler>>

/** An event that has arrived and waits for those before it. */
export interface PendingEvent {
  readonly name: string
  readonly args: readonly unknown[]
}

/** Events of one socket that may wait; more are refused. */
const MOST_PENDING = 1_000

/**
 * Listens to a socket. Its events take effect in the order in which it sent them; each is
 * answered through its callback if it has one, and none can throw (behaviour.md 8).
 *
 * @param before what must end before the first event; sees those that arrive meanwhile
 */
export function listen(
  socket: Socket,
  events: Events,
  log: Logger,
  before: (pending: readonly PendingEvent[]) => Promise<void>,
): void {
  const pending: (PendingEvent & { readonly run: () => Promise<void> })[] = []
  let busy = true

  async function runPending(): Promise<void> {
    busy = true
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) await next.run()
    busy = false
  }

  for (const [name, handler] of Object.entries(events)) {
    socket.on(name, (...args: unknown[]) => {
      const acknowledge = takeAcknowledgement(args)
      const fail = (error: unknown) => {
        log.error({ err: error, event: name, socket: socket.id }, 'event failed')
        acknowledge(EVENT_FAILED)
      }
      const run = async () => {
        const parsed = handler.args.safeParse(args)
        if (!parsed.success) {
          acknowledge(MALFORMED)
          return
        }
        try {
          const outcome = await handler.handle(socket, parsed.data as never)
          if ('later' in outcome) outcome.later.then(acknowledge, fail)
          else acknowledge(outcome)
        } catch (error) {
          fail(error)
        }
      }
      if (pending.length >= MOST_PENDING) {
        acknowledge(TOO_MANY)
        return
      }
      pending.push({ name, args, run })
      if (!busy) void runPending()
    })
  }
  void before(pending).then(runPending)
}

/** Takes the callback from the end of an event's arguments, if there is one. */
function takeAcknowledgement(args: unknown[]): (answer: EventAnswer) => void {
  return typeof args.at(-1) === 'function'
    ? (args.pop() as (answer: EventAnswer) => void)
    : () => undefined
}
