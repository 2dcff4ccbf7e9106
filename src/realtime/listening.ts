import type { Logger } from 'pino'
import type { Allowance } from '../wire/limits.ts'
import {
  EVENT_FAILED,
  type EventAnswer,
  type EventHandler,
  type Events,
  MALFORMED,
  NOT_LOGGED_IN,
  type Socket,
  TOO_MANY,
} from './events.ts'
import { pidOf } from './sessions.ts'

/** Events of one socket that may wait, and what they may weigh; more are refused. */
const MOST_PENDING = 1_000
const MOST_WEIGHT = 16 * 1024 * 1024
/** A value weighs as much as its characters or bytes and this. */
const WEIGHT_OF_VALUE = 16
/** Whoever passes a callback is answered within this time, in milliseconds. */
const LONGEST_WAIT = 4_000
/** How often it is looked for answers that are late, in milliseconds: on top of that. */
const LOOKED_EVERY = 250
/** For how long an event is tried again that has a callback; and one that has none. */
const PATIENCE = 3_500
// The existing client passes none: it would never learn that its message was lost.
const PATIENCE_UNSEEN = 60_000

/** An event that has arrived and waits for those before it. */
export interface PendingEvent {
  readonly name: string
  readonly args: readonly unknown[]
}

interface Arrived extends PendingEvent {
  readonly handler: EventHandler
  readonly reply: Reply
  readonly weight: number
}

/** What sockets send, and what becomes of it. */
export interface Listening {
  /**
   * Listens to a socket. Its events take effect in the order in which it sent them, after those
   * of its session's earlier socket; each is answered through its callback if it has one, and none
   * can throw (behaviour.md 8).
   *
   * @param allowance events that it may send; far beyond them its connection is closed
   * @param before what must end before the first event; sees those that arrive meanwhile
   */
  listen(
    socket: Socket,
    allowance: Allowance,
    before: (pending: readonly PendingEvent[]) => Promise<void>,
  ): void
  /** Resolves when everything that has arrived has taken effect. */
  idle(): Promise<void>
  /** Looks no longer for late answers. */
  stop(): void
}

export function createListening(events: Events, log: Logger): Listening {
  /** The socket that each session has now, and the events that are taking effect. */
  const current = new Map<string, Socket>()
  const working = new Map<string, Promise<void>>()

  /** Answers that are still to be given, the oldest first. */
  const open = new Set<Reply>()

  /** Begins at once when nothing of the session is taking effect. */
  function workInTurn(pid: string, work: () => Promise<void>): void {
    const earlier = working.get(pid)
    const mine = (earlier === undefined ? work() : earlier.then(work)).finally(() => {
      if (working.get(pid) === mine) working.delete(pid)
    })
    working.set(pid, mine)
  }

  // One timer for all: nearly every event is answered long before a timer of its own would fire.
  const timer = setInterval(() => {
    const late = performance.now() - LONGEST_WAIT
    for (const reply of open) {
      if (reply.since > late) break
      reply.answer(EVENT_FAILED)
    }
  }, LOOKED_EVERY)
  timer.unref()

  return {
    listen(socket, allowance, before) {
      const pid = pidOf(socket)
      // A client has one connection: an earlier one is dead, though nobody noticed yet.
      current.get(pid)?.conn.close(true)
      current.set(pid, socket)
      socket.on('disconnect', () => {
        if (current.get(pid) === socket) current.delete(pid)
      })

      const pending: Arrived[] = []
      let busy = true
      let weight = 0
      async function runPending(): Promise<void> {
        for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
          weight -= next.weight
          await runEvent(socket, next, log)
        }
        busy = false
      }
      const isAllowed = () => {
        const verdict = allowance.take()
        // Not a disconnect: this client would never come back.
        if (verdict === 'far over') socket.conn.close()
        return verdict === 'within'
      }
      const arrive = (name: string, handler: EventHandler, args: unknown[]) => {
        const reply = new Reply(takeCallback(args), open)
        const isFull = pending.length >= MOST_PENDING || weight > MOST_WEIGHT
        const isRefused = !isAllowed() || isFull
        // Whoever flooded must not go on speaking after they took their leave; once is enough.
        const mustRun = handler.isFarewell && pending.at(-1)?.name !== name
        if (isRefused && !mustRun) {
          reply.answer(TOO_MANY)
          return
        }
        // What does not wait need not be weighed.
        const added = busy ? weightOf(args) : 0
        weight += added
        pending.push({ name, args, handler, reply, weight: added })
        if (busy) return
        busy = true
        workInTurn(pid, runPending)
      }
      // One listener for all: nine took 0.8 KiB of an idle socket.
      socket.onAny((name: string, ...args: unknown[]) => {
        const handler = Object.hasOwn(events, name) ? events[name] : undefined
        if (handler === undefined) isAllowed()
        else arrive(name, handler, args)
      })
      const { disconnect } = events
      if (disconnect !== undefined) {
        socket.on('disconnect', (...args: unknown[]) => arrive('disconnect', disconnect, args))
      }
      workInTurn(pid, () => before(pending).then(runPending))
    },
    async idle() {
      while (working.size > 0) await Promise.all(working.values())
    },
    stop: () => clearInterval(timer),
  }
}

async function runEvent(socket: Socket, event: Arrived, log: Logger): Promise<void> {
  const { name, args, handler, reply } = event
  // What was answered as failed before it began must not take effect after all.
  if (reply.given) return
  try {
    const { expiresAt = Infinity } = socket.data
    if (Date.now() >= expiresAt && !handler.isFarewell) {
      reply.answer(NOT_LOGGED_IN)
      return
    }
    const parsed = handler.args.safeParse(args)
    if (!parsed.success) {
      reply.answer(MALFORMED)
      return
    }
    const outcome = await handler.handle(socket, parsed.data as never, reply.patience)
    if ('later' in outcome) {
      // Nothing here may hold on to the arguments while the message waits to be stored.
      outcome.later.then(
        (answer) => reply.answer(answer),
        (error: unknown) => fail(socket, name, reply, log, error),
      )
    } else {
      reply.answer(outcome)
    }
  } catch (error) {
    fail(socket, name, reply, log, error)
  }
}

function fail(socket: Socket, name: string, reply: Reply, log: Logger, error: unknown): void {
  log.error({ err: error, event: name, socket: socket.id }, 'event failed')
  reply.answer(EVENT_FAILED)
}

/** The answer to one event. */
class Reply {
  /** When the event came. */
  readonly since = performance.now()
  given = false

  /** @param open where it is kept until it is given; without a callback none is owed */
  constructor(
    private readonly callback: ((answer: EventAnswer) => void) | undefined,
    private readonly open: Set<Reply>,
  ) {
    if (callback !== undefined) open.add(this)
  }

  /** For how many milliseconds from now the event is tried again. */
  get patience(): number {
    const patience = this.callback === undefined ? PATIENCE_UNSEEN : PATIENCE
    return Math.max(0, this.since + patience - performance.now())
  }

  answer(answer: EventAnswer): void {
    if (this.given || this.callback === undefined) return
    this.given = true
    this.open.delete(this)
    this.callback(answer)
  }
}

/** About what a client's values take up in memory; no more than is refused anyway is looked at. */
function weightOf(args: readonly unknown[]): number {
  let weight = 0
  // Not recursive: they may be nested as deep as a frame is long.
  const rest: unknown[] = [args]
  while (rest.length > 0 && weight <= MOST_WEIGHT) {
    const value = rest.pop()
    weight += WEIGHT_OF_VALUE
    if (typeof value === 'string') weight += value.length
    else if (ArrayBuffer.isView(value)) weight += value.byteLength
    else if (Array.isArray(value)) for (const inner of value) rest.push(inner)
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        weight += key.length
        rest.push(inner)
      }
    }
  }
  return weight
}

/** Takes the callback from the end of an event's arguments, if there is one. */
function takeCallback(args: unknown[]): ((answer: EventAnswer) => void) | undefined {
  return typeof args.at(-1) === 'function'
    ? (args.pop() as (answer: EventAnswer) => void)
    : undefined
}
