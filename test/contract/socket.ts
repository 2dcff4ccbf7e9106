import { io, type Socket } from 'socket.io-client'
import { at, type Json } from './json.ts'

export interface Received {
  event: string
  args: Json[]
}

interface Waiter {
  wants: (received: Received) => boolean
  take: (args: Json[]) => void
}

type Predicate = (...args: Json[]) => boolean

// With recovery on, socket.io appends a string; every documented event has one argument.
const withoutOffset = (args: Json[]): Json[] =>
  args.length > 1 && typeof args.at(-1) === 'string' ? args.slice(0, -1) : args

/** One socket of the existing client; it records every event that it receives. */
export class Connection {
  readonly socket: Socket
  readonly #received: Received[] = []
  readonly #waiting: Received[] = []
  readonly #waiters = new Set<Waiter>()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.onAny((event: string, ...args: Json[]) => {
      const received = { event, args: withoutOffset(args) }
      this.#received.push(received)
      const waiter = [...this.#waiters].find(({ wants }) => wants(received))
      if (waiter) waiter.take(received.args)
      else this.#waiting.push(received)
    })
  }

  /** Connects as the client does when its page loads; rejects when the server refuses. */
  static async open(
    url: string,
    options: { token?: string; headers?: Record<string, string>; timeout?: number } = {},
  ): Promise<Connection> {
    const { token, headers, timeout } = options
    const socket = io(url, {
      forceNew: true,
      ...(token === undefined ? {} : { auth: { token } }),
      ...(headers === undefined ? {} : { extraHeaders: headers }),
    })
    const connection = new Connection(socket)
    try {
      await connection.connected(timeout)
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  /** Resolves once the socket is connected, at once if it is. */
  connected(timeout = 10_000): Promise<void> {
    return this.#until('connect', () => this.socket.connected, timeout)
  }

  /** Resolves once the socket is disconnected, at once if it is. */
  disconnected(timeout = 10_000): Promise<void> {
    return this.#until('disconnect', () => !this.socket.connected, timeout)
  }

  #until(event: 'connect' | 'disconnect', holds: () => boolean, timeout: number): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      let reason = 'no answer'
      const settle = (error?: Error): void => {
        clearTimeout(timer)
        this.socket.off(event, done)
        this.socket.off('connect_error', failed)
        if (error) reject(error)
        else resolve()
      }
      const done = (): void => settle()
      const failed = (error: Error): void => {
        reason = error.message
        // A refusal by the server itself is final: the client does not try again.
        if (!this.socket.active) settle(new Error(`refused: ${reason}`))
      }
      const late = (): void => settle(new Error(`no ${event} within ${timeout} ms: ${reason}`))
      const timer = setTimeout(late, timeout)
      this.socket.on(event, done)
      this.socket.on('connect_error', failed)
    })
  }

  /** Breaks the connection as a network does; the client then comes back by itself. */
  async drop(): Promise<void> {
    this.socket.io.engine.close()
    await this.disconnected()
  }

  /** Logs in on this socket, waits until that has taken effect, and returns the socket id. */
  async login(userId: string): Promise<Json> {
    // Acknowledged: a `login` event alone may be one that the server sent by itself on connecting.
    const ack = await this.emitWithAck('login', userId)
    if (at(ack, 'status') !== 200) throw new Error(`login refused: ${JSON.stringify(ack)}`)
    const [socketId = null] = await this.next('login')
    return socketId
  }

  emit(event: string, ...args: unknown[]): void {
    this.socket.emit(event, ...args)
  }

  /** Emits with an acknowledgement callback as the last argument; rejects without an answer. */
  async emitWithAck(event: string, ...args: unknown[]): Promise<Json> {
    return (await this.socket.timeout(10_000).emitWithAck(event, ...args)) as Json
  }

  /** Every event that it received so far, in order. */
  get events(): readonly Received[] {
    return this.#received
  }

  /**
   * The arguments of the earliest event, past or future, that no other call has got yet and
   * that satisfies the predicate. The string that recovery appends is left out.
   */
  next(event: string, predicate: Predicate = () => true, timeout = 10_000): Promise<Json[]> {
    const wants = (one: Received): boolean => one.event === event && predicate(...one.args)
    const index = this.#waiting.findIndex(wants)
    if (index >= 0) return Promise.resolve(this.#waiting.splice(index, 1)[0]?.args ?? [])
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        const came = this.#received.map((one) => one.event).join(', ') || 'nothing'
        reject(new Error(`no such ${event} within ${timeout} ms; received: ${came}`))
      }, timeout)
      const take = (args: Json[]): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        resolve(args)
      }
      const waiter = { wants, take }
      this.#waiters.add(waiter)
    })
  }

  /** The arguments of every event of this name so far, also of those that next() gave out. */
  received(event: string): Json[][] {
    return this.#received.filter((one) => one.event === event).map((one) => one.args)
  }

  close(): void {
    this.socket.disconnect()
  }
}
