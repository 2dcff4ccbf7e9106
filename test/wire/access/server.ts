import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { type RunningServer, startServer } from '../../../src/server.ts'
import { readSettings } from '../../../src/settings.ts'
import { createTestDatabase } from '../../helpers/databases.ts'
import { SECRET } from './tokens.ts'

/** A server in this process, whose declarations can be read and whose database can be watched. */
export interface WatchedServer {
  readonly server: RunningServer
  readonly addresses: { readonly http: string; readonly socket: string }
  /** Differs whenever anything was written, to the database or to the upload folder. */
  readonly fingerprint: () => Promise<string>
}

/** Starts a server that is stopped with the test. */
export async function watchedServer(
  t: { teardown(handler: () => Promise<void>): void },
  mode: 'open' | 'token',
): Promise<WatchedServer> {
  const database = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-access-'))
  const uploads = join(folder, 'uploads')
  const settings = readSettings({
    AUTH_MODE: mode,
    TOKEN_SECRET: SECRET,
    DATA_DIR: folder,
    UPLOAD_DIR: uploads,
    PORT: '0',
    SOCKET_PORT: '0',
    LOG_LEVEL: 'error',
  })
  const server = await startServer(settings, database.url)
  const watcher = new pg.Client({ connectionString: database.url })
  await watcher.connect()
  t.teardown(async () => {
    await watcher.end()
    await server.stop()
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })
  const { rows: tables } = await watcher.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`,
  )
  const content = tables
    .map(({ name }) => `select '${name}', string_agg(t::text, ';' order by t::text) from ${name} t`)
    .join(' union all ')
  return {
    server,
    addresses: { http: server.httpUrl, socket: server.socketUrl },
    async fingerprint() {
      const { rows } = await watcher.query(content)
      const files = await settled(uploads)
      return createHash('sha256')
        .update(JSON.stringify([rows, files]))
        .digest('hex')
    },
  }
}

/** Whatever is in the upload folder, once no temporary file is: chunks are deleted after the answer. */
async function settled(uploads: string): Promise<string[]> {
  for (;;) {
    const paths = await readdir(uploads, { recursive: true })
    if (!paths.some((path) => path.startsWith('.parts/'))) return paths.sort()
    await pause(10)
  }
}
