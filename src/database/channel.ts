import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Logger } from 'pino'
import { type Database, statement } from './connection.ts'

const NAME = 'waifchat'
/** Before a connection on which nothing came is asked whether it still is one, in milliseconds. */
const QUIET = 30_000

const notify = statement('channel_notify', 'select pg_notify($1, $2)')

/** Carries short news between the server processes on one database. */
export interface Channel {
  /**
   * Tells all other processes; those that have no connection just then are not told. Never part
   * of a transaction, and of nothing urgent: PostgreSQL commits notifications one at a time.
   */
  publish(news: string): Promise<void>
  close(): void
}

/**
 * Listens on a connection of its own, and on a new one whenever that is lost.
 *
 * @param onNews called with what other processes publish
 */
export function openChannel(db: Database, log: Logger, onNews: (news: string) => void): Channel {
  const self = randomUUID()
  let current: pg.Client | undefined
  let closed = false
  let failing = false

  /** Resolves when the connection is lost. */
  async function listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: db.pool.options.connectionString,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: QUIET,
      application_name: 'waifchat channel',
    })
    current = client
    // What ends the connection is followed by its end.
    client.on('error', () => undefined)
    const ended = new Promise((resolve) => client.once('end', resolve))
    client.on('notification', ({ payload = '' }) => {
      if (!payload.startsWith(self)) onNews(payload.slice(self.length + 1))
    })
    try {
      await client.connect()
      await client.query(`listen ${NAME}`)
      failing = false
      await ended
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async function keepListening(): Promise<void> {
    while (!closed) {
      await listen().catch((error: unknown) => {
        if (!failing && !closed) log.warn({ err: error }, 'news of other processes do not arrive')
        failing = true
      })
      if (!closed) await db.returned()
    }
  }
  void keepListening()

  return {
    async publish(news) {
      await db.run(notify, [NAME, `${self} ${news}`])
    },
    close() {
      closed = true
      void current?.end().catch(() => undefined)
    },
  }
}
