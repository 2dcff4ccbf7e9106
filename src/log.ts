import pg from 'pg'
import { type Logger, pino } from 'pino'
import { Fault } from './fault.ts'

/** What a log says of an error: where it came from, and nothing that somebody sent. */
interface LoggedError {
  readonly type: string
  readonly message?: string
  readonly code?: string
  readonly syscall?: string
  readonly at?: string
  readonly where?: string
  readonly stack?: string
}

/**
 * Makes the log. Requests are logged by their route, errors without the values in them: neither
 * passwords nor tokens nor messages are ever written, at no level.
 */
export function createLog(level: string): Logger {
  return pino({
    level,
    serializers: { err: loggedError, req: loggedRequest, res: loggedResponse },
    // Nothing logs these; should somebody begin to, they stay out.
    redact: {
      paths: ['password', 'token', 'message', 'body', 'headers', 'authorization'].flatMap((key) => [
        key,
        `*.${key}`,
      ]),
      remove: true,
    },
  })
}

/** An error without what somebody sent: its own words only where they are about the server. */
export function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error }
  const cause = error.cause instanceof pg.DatabaseError ? error.cause : error
  const { code, syscall, statusCode } = cause as NodeJS.ErrnoException & { statusCode?: number }
  const known = {
    type: cause.constructor.name,
    ...(code === undefined ? {} : { code }),
    ...(syscall === undefined ? {} : { syscall }),
  }
  // What is wrong with a request is said by quoting it.
  if (cause instanceof SyntaxError || (statusCode ?? 500) < 500) return known
  const stack = framesOf(error)
  if (cause instanceof pg.DatabaseError) {
    const { table, constraint, routine } = cause
    const at = [table, constraint, routine].filter(Boolean).join(' ')
    return { ...known, at, stack }
  }
  // The words of all others may quote: names of files, parameters, a text that was not understood.
  const isConstant = cause instanceof Fault || DRIVERS_WORDS.has(cause.message)
  return isConstant ? { ...known, message: cause.message, stack } : { ...known, stack }
}

/** What the driver says of its connections without a code. */
const DRIVERS_WORDS = new Set([
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'Query read timeout',
])

/** A stack begins with the message. */
function framesOf({ message, stack = '' }: Error): string {
  const frames = stack
    .replace(message, () => '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
  return frames.join('\n')
}

function loggedRequest(request: LoggedRequest) {
  const { method, ip, routeOptions } = request
  // An address that is no route may hold anything, a query string even more.
  return { method, route: routeOptions?.url ?? 'none', ip }
}

interface LoggedRequest {
  readonly method?: string
  readonly ip?: string
  readonly routeOptions?: { readonly url?: string }
}

function loggedResponse({ statusCode }: { readonly statusCode?: number }) {
  return { statusCode }
}
