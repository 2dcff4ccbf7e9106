import type { Socket as AnySocket, Server as AnyServer } from 'socket.io'
import type { Logger } from 'pino'
import type { z } from 'zod'

/** What a socket knows of whoever is behind it. */
export interface SocketData {
  /** For whom it speaks; undefined for nobody. */
  userId?: string | undefined
  /** Whose token came with the handshake; undefined when none did. */
  caller?: string | undefined
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

/**
 * Listens to a socket. Its events take effect in the order in which it sent them; each is
 * answered through its callback if it has one, and none can throw (behaviour.md 8).
 */
export function listen(socket: Socket, events: Events, log: Logger): void {
  let previous: Promise<unknown> | undefined

  for (const [name, handler] of Object.entries(events)) {
    socket.on(name, (...args: unknown[]) => {
      const last = args.at(-1)
      const acknowledge =
        typeof last === 'function' ? (args.pop() as (answer: EventAnswer) => void) : undefined
      const parsed = handler.args.safeParse(args)
      const run = async (): Promise<void> => {
        if (!parsed.success) return acknowledge?.(MALFORMED)
        try {
          const outcome = await handler.handle(socket, parsed.data as never)
          if (!('later' in outcome)) return acknowledge?.(outcome)
          outcome.later.then(acknowledge, fail)
        } catch (error) {
          fail(error)
        }
      }
      const fail = (error: unknown) => {
        log.error({ err: error, event: name, socket: socket.id }, 'event failed')
        acknowledge?.(EVENT_FAILED)
      }
      const mine = previous === undefined ? run() : previous.then(run)
      previous = mine
      void mine.then(() => {
        if (previous === mine) previous = undefined
      })
    })
  }
}
