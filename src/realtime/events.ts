import type { Socket as AnySocket, Server as AnyServer } from 'socket.io'
import type { z } from 'zod'
import type { Access } from '../wire/access.ts'

/** What a socket knows of whoever is behind it. */
export interface SocketData {
  /** For whom it speaks; undefined for nobody. */
  userId?: string | undefined
  /** Whose token came with the handshake; undefined when none did. */
  caller?: string | undefined
  /** When that token expires, in milliseconds since 1970. */
  expiresAt?: number | undefined
  /** The bookmark with which it comes back after a lost connection. */
  returning?: string
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
  readonly access: Access
  readonly args: z.ZodType
  handle: Handle<never>
  /** Only ends rights: takes effect over every limit, and after the token has expired. */
  readonly isFarewell?: true
}

/** @param patience milliseconds to try again for while the database is away */
type Handle<Args> = (
  socket: Socket,
  args: Args,
  patience: number,
) => EventOutcome | Promise<EventOutcome>

/**
 * Ties the type of an event's arguments to its handler.
 *
 * @param access names the arguments as the interface document does
 */
export function event<Args extends z.ZodType>(
  access: Access,
  args: Args,
  handle: Handle<z.output<Args>>,
): EventHandler {
  return { access, args, handle }
}

/** An event by which somebody takes their leave. */
export function farewell<Args extends z.ZodType>(
  args: Args,
  handle: Handle<z.output<Args>>,
): EventHandler {
  return { ...event('user', args, handle), isFarewell: true }
}

/** A feature's events by name. */
export type Events = Readonly<Record<string, EventHandler>>
