import { z } from 'zod'
import { StartupError } from './startup-error.ts'
import type { AddressLimit } from './wire/limits.ts'
import { isProxy } from './wire/proxies.ts'

const MINUTE = 60_000
const UNITS = { s: 1000, m: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE } as const
const MEBIBYTE = 1024 * 1024
const GIBIBYTE = 1024 * MEBIBYTE
/** What one other address may ask for each second, and how many sockets it may have. */
const REQUESTS_OF_OTHERS = 1_000
const SOCKETS_OF_OTHERS = 200

// Number() alone would take ' ' for 0 and 1e3 for 1000.
const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'is not a whole number')
  .transform(Number)
const port = whole.refine((number) => number <= 65_535, 'is not a port from 0 to 65535')
const positive = whole.refine((number) => number > 0, 'is not positive')
const bytes = whole

/** A time span such as `90s`, `15m`, `12h` or `30d`, in milliseconds. */
const span = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'is not a time span such as 90s, 15m, 12h or 30d')
  .transform((text) => Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS])

const timezone = z.string().refine(isTimezone, 'is not a time zone such as Asia/Shanghai')
const databaseUrl = z
  .string()
  .refine(
    (text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text),
    'is not an address such as postgres://user@host/name',
  )

const origin = /^[a-z][a-z\d+.-]*:\/\/[^/\s]+$/
const list = z.string().transform((text) =>
  text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean),
)
const origins = list.refine(
  (all) => all.every((one) => origin.test(one)),
  'is not a list of origins such as https://chat.example.com',
)
const proxies = list.refine(
  (all) => all.every(isProxy),
  'is not a list of addresses and networks such as loopback or 10.0.0.0/8',
)

/** Every setting with its default; `.env.example` says what each is for. */
const environment = z.object({
  HOST: z.string().min(1).toLowerCase().default('127.0.0.1'),
  PORT: port.default(7878),
  SOCKET_PORT: port.default(24_000),
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_PORT: port.optional(),
  DATABASE_POOL_SIZE: positive.refine((size) => size <= 500, 'is above 500').default(10),
  DATA_DIR: z.string().min(1).default('./data'),
  UPLOAD_DIR: z.string().min(1).default('./uploads'),
  TIMEZONE: timezone.default('Asia/Shanghai'),
  AUTH_MODE: z.enum(['open', 'token']).optional(),
  TOKEN_SECRET: z
    .string()
    .refine((text) => text.length >= 32, 'is shorter than 32 characters')
    .optional(),
  TOKEN_TTL: span.default(30 * UNITS.d),
  CORS_ORIGIN: origins.default([]),
  TRUSTED_PROXY: proxies.default([]),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  SESSION_TTL: span.default(30 * UNITS.d),
  REPLAY_LIMIT: positive.refine((limit) => limit <= 10_000, 'is above 10000').default(500),
  BODY_LIMIT: positive.default(2 * MEBIBYTE),
  PICTURE_LIMIT: positive.default(10 * MEBIBYTE),
  CHUNK_LIMIT: positive.default(MEBIBYTE + 10 * 1024),
  FILE_LIMIT: positive.default(2 * GIBIBYTE),
  FREE_SPACE_FLOOR: bytes.default(GIBIBYTE),
  CHUNK_TTL: span.default(24 * UNITS.h),
  REQUEST_LIMIT: whole.optional(),
  SOCKET_LIMIT: whole.optional(),
  EVENT_LIMIT: whole.default(2_000),
  MESSAGE_LIMIT: whole.default(1_000),
  LOGIN_FAILURES: whole.default(5),
})

/** What the server runs with: read once, checked, frozen, and passed to whoever needs it. */
export interface Settings {
  readonly host: string
  readonly port: number
  readonly socketPort: number
  /** Undefined: the embedded PostgreSQL is used. */
  readonly databaseUrl: string | undefined
  /** Port of the embedded PostgreSQL; 0 picks a free one. */
  readonly databasePort: number
  readonly databasePoolSize: number
  readonly dataDir: string
  readonly uploadDir: string
  readonly timezone: string
  readonly authMode: 'open' | 'token'
  /** Undefined: one is generated and kept in `dataDir`. */
  readonly tokenSecret: string | undefined
  /** Milliseconds that a token is valid. */
  readonly tokenTtl: number
  /** Origins let in besides Electron and loopback pages. */
  readonly corsOrigins: readonly string[]
  /** Proxies that are believed when they say for whom they ask. */
  readonly trustedProxies: readonly string[]
  readonly logLevel: string
  /** Milliseconds after which a socket that does not come back is forgotten. */
  readonly sessionTtl: number
  /** Messages that a returning socket is sent at most. */
  readonly replayLimit: number
  /** Largest JSON or urlencoded body in bytes. */
  readonly bodyLimit: number
  /** Largest picture in bytes. */
  readonly pictureLimit: number
  /** Largest chunk of a file in bytes. */
  readonly chunkLimit: number
  /** Largest file that arrives in chunks, in bytes. */
  readonly fileLimit: number
  /** Bytes that uploads leave free on the disk of `uploadDir`. */
  readonly freeSpaceFloor: number
  /** Milliseconds after which the chunks of an abandoned upload are deleted. */
  readonly chunkTtl: number
  /** Requests per second and address. */
  readonly requestLimit: AddressLimit
  /** Sockets connected at a time from one address. */
  readonly socketLimit: AddressLimit
  /** Events per second of one socket; 0 for no limit. */
  readonly eventLimit: number
  /** Messages per second of one user; 0 for no limit. */
  readonly messageLimit: number
  /** Failed logins to one account from one address that cost no wait; 0 for no counting. */
  readonly loginFailures: number
}

/**
 * Reads the settings from environment variables (an empty variable counts as not set).
 *
 * @throws StartupError with one sentence that names the first wrong or conflicting setting.
 */
export function readSettings(variables: NodeJS.ProcessEnv = process.env): Settings {
  const given = Object.entries(variables).filter(([, value]) => value !== '')
  const parsed = environment.safeParse(Object.fromEntries(given))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const name = String(issue?.path[0])
    const what = issue?.code === 'custom' || issue?.code === 'invalid_format' ? issue.message : ''
    const shown = name === 'TOKEN_SECRET' || name === 'DATABASE_URL' ? '' : `=${variables[name]}`
    const why = what === '' ? `is not valid (${issue?.message ?? ''})` : what
    throw new StartupError(`The setting ${name}${shown} ${why}.`)
  }
  const env = parsed.data
  if (env.DATABASE_URL !== undefined && env.DATABASE_PORT !== undefined) {
    throw new StartupError(
      'DATABASE_PORT is for the embedded PostgreSQL and conflicts with DATABASE_URL: set one of them.',
    )
  }
  if (env.AUTH_MODE === undefined && !isLoopback(env.HOST)) {
    throw new StartupError(
      `HOST=${env.HOST} can be reached by others: set AUTH_MODE to token (or to open, if everybody there may act as anybody).`,
    )
  }
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    socketPort: env.SOCKET_PORT,
    databaseUrl: env.DATABASE_URL,
    databasePort: env.DATABASE_PORT ?? 0,
    databasePoolSize: env.DATABASE_POOL_SIZE,
    dataDir: env.DATA_DIR,
    uploadDir: env.UPLOAD_DIR,
    timezone: env.TIMEZONE,
    authMode: env.AUTH_MODE ?? 'open',
    tokenSecret: env.TOKEN_SECRET,
    tokenTtl: env.TOKEN_TTL,
    corsOrigins: env.CORS_ORIGIN,
    trustedProxies: env.TRUSTED_PROXY,
    logLevel: env.LOG_LEVEL,
    sessionTtl: env.SESSION_TTL,
    replayLimit: env.REPLAY_LIMIT,
    bodyLimit: env.BODY_LIMIT,
    pictureLimit: env.PICTURE_LIMIT,
    chunkLimit: env.CHUNK_LIMIT,
    fileLimit: env.FILE_LIMIT,
    freeSpaceFloor: env.FREE_SPACE_FLOOR,
    chunkTtl: env.CHUNK_TTL,
    requestLimit: addressLimit(env.REQUEST_LIMIT, REQUESTS_OF_OTHERS),
    socketLimit: addressLimit(env.SOCKET_LIMIT, SOCKETS_OF_OTHERS),
    eventLimit: env.EVENT_LIMIT,
    messageLimit: env.MESSAGE_LIMIT,
    loginFailures: env.LOGIN_FAILURES,
  })
}

/** On this machine all share one address, so the usual limit is for others; one that is set is not. */
function addressLimit(given: number | undefined, usual: number): AddressLimit {
  return { most: given ?? usual, onLoopback: given !== undefined }
}

/** Whether a host name or address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|::1|\[::1\]|127(\.\d{1,3}){3})$/i.test(host)
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
