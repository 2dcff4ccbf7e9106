import t from 'tap'
import { isLoopback, readSettings } from '../src/settings.ts'
import { StartupError } from '../src/startup-error.ts'

await t.test('without any variable everything has its default', async (t) => {
  const settings = readSettings({})
  t.match(settings, {
    host: '127.0.0.1',
    port: 7878,
    socketPort: 24000,
    databaseUrl: undefined,
    databasePort: 0,
    dataDir: './data',
    uploadDir: './uploads',
    timezone: 'Asia/Shanghai',
    authMode: 'open',
    tokenSecret: undefined,
    corsOrigins: [],
    trustedProxies: [],
    logLevel: 'info',
  })
  t.ok(Object.isFrozen(settings))
  t.same(readSettings({ PORT: '', HOST: '', DATABASE_URL: '', UNKNOWN: 'x' }), settings)
})

await t.test('settings are read from their variables', async (t) => {
  const settings = readSettings({
    HOST: '0.0.0.0',
    PORT: '0',
    SOCKET_PORT: '65535',
    DATABASE_URL: 'postgresql://me:p%40ss@db.example:5433/chat?sslmode=require',
    DATABASE_POOL_SIZE: '500',
    TIMEZONE: 'America/St_Johns',
    AUTH_MODE: 'token',
    TOKEN_SECRET: 'x'.repeat(32),
    TOKEN_TTL: '90s',
    CORS_ORIGIN: 'https://chat.Example.com, http://10.0.0.1:8080 app://chat',
    TRUSTED_PROXY: 'loopback, 10.0.0.0/8 2001:db8::1',
    LOG_LEVEL: 'silent',
  })
  t.match(settings, {
    host: '0.0.0.0',
    port: 0,
    socketPort: 65535,
    databasePoolSize: 500,
    authMode: 'token',
    tokenTtl: 90_000,
    corsOrigins: ['https://chat.example.com', 'http://10.0.0.1:8080', 'app://chat'],
    trustedProxies: ['loopback', '10.0.0.0/8', '2001:db8::1'],
  })
  for (const [text, milliseconds] of [
    ['1s', 1000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
  ] as const)
    t.equal(readSettings({ TOKEN_TTL: text }).tokenTtl, milliseconds)
})

await t.test('a wrong setting is named in one sentence', async (t) => {
  const wrong: Record<string, string[]> = {
    TRUSTED_PROXY: ['proxy.example', '10.0.0.0/33', '127.0.0.1, x', 'true'],
    PORT: ['x', '-1', '65536', '1.5', ' ', '1e3', '0x50', '7878 ', '99999999999'],
    SOCKET_PORT: ['x', '-1', '65536'],
    DATABASE_PORT: ['x', '65536'],
    DATABASE_URL: ['x', 'http://127.0.0.1/x', 'postgres:x', 'postgres://a:b@[/x', 'mysql://a/b'],
    DATABASE_POOL_SIZE: ['0', '501', 'x', '-1'],
    TIMEZONE: ['Mars/Olympus', 'x', ' '],
    AUTH_MODE: ['maybe', 'Open', ' '],
    TOKEN_SECRET: ['x'.repeat(31)],
    TOKEN_TTL: ['0s', '5', '5y', '-1d', '1.5h', '1234567d'],
    CORS_ORIGIN: ['*', 'example.com', 'https://a.example/', 'https://a.example, x'],
    LOG_LEVEL: ['loud'],
    BODY_LIMIT: ['0', '2MB'],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const error = refusal({ [name]: value })
      t.match(error, new RegExp(`^The setting ${name}\\b[^\n]*\\.$`), `${name}=${value}`)
      const isSecret = name === 'TOKEN_SECRET' || name === 'DATABASE_URL'
      t.equal(error.includes(`=${value} `), !isSecret, 'shown, unless it is a secret')
    }
  }
})

await t.test('settings that conflict are named in one sentence', async (t) => {
  const both = refusal({ DATABASE_URL: 'postgres://localhost/x', DATABASE_PORT: '5432' })
  t.match(both, /^DATABASE_PORT .* conflicts with DATABASE_URL[^\n]*\.$/)
  for (const host of [
    '0.0.0.0',
    '::',
    '192.168.1.5',
    'chat.example.com',
    '127.0.0.1.example.com',
  ]) {
    t.match(refusal({ HOST: host }), /^HOST=\S+ can be reached by others: set AUTH_MODE [^\n]*\.$/)
    for (const mode of ['open', 'token'] as const)
      t.equal(readSettings({ HOST: host, AUTH_MODE: mode }).authMode, mode)
  }
})

await t.test('what is loopback, and what only looks like it', async (t) => {
  const loopback = ['localhost', 'LocalHost', '127.0.0.1', '127.1.2.3', '::1', '[::1]']
  const others = [
    '',
    '0.0.0.0',
    '::',
    '128.0.0.1',
    'localhost.example.com',
    '1270.0.0.1',
    'x127.0.0.1',
  ]
  for (const host of loopback) t.ok(isLoopback(host), host)
  for (const host of others) t.notOk(isLoopback(host), host)
})

function refusal(variables: NodeJS.ProcessEnv): string {
  try {
    readSettings(variables)
  } catch (error) {
    if (error instanceof StartupError) return error.message
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(variables)}`)
}
