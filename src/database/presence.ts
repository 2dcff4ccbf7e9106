import pg from 'pg'
import type { Logger } from 'pino'
import { StartupError } from '../startup-error.ts'

/** 'wf', 3: shared by the servers on a database, exclusive for an import into it. */
export const PRESENCE = [30_566, 3] as const
/** Milliseconds until a lost connection is made anew. */
const RETRY_AFTER = 1_000

/** A server's sign on the database: while it lasts, no import can begin. */
export interface Presence {
  end(): Promise<void>
}

/**
 * Announces a server on its database, on a connection of its own, and again whenever that is lost.
 *
 * @throws StartupError when an import is running
 */
export async function announceServer(url: string, log: Logger): Promise<Presence> {
  let ended = false
  let retry: NodeJS.Timeout | undefined
  let current: pg.Client | undefined

  async function announce(): Promise<boolean> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      application_name: 'waifchat presence',
    })
    client.on('error', () => undefined)
    client.once('end', () => {
      if (client === current) later()
    })
    try {
      await client.connect()
      const { rows } = await client.query<{ free: boolean }>(
        'select pg_try_advisory_lock_shared($1, $2) as free',
        [...PRESENCE],
      )
      if (rows[0]?.free !== true || ended) {
        await client.end()
        return ended
      }
      current = client
      return true
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error
    }
  }

  async function warnOfUnfinished(): Promise<void> {
    const result = await current?.query<{ source: string; finished: boolean }>(
      'select source, finished_at is not null as finished from imports order by id desc limit 1',
    )
    const [last] = result?.rows ?? []
    if (last?.finished !== false) return
    log.warn(`the import of ${last.source} was cut off: not everything is here, run it again`)
  }

  function later(): void {
    if (ended) return
    current = undefined
    retry = setTimeout(() => void again(), RETRY_AFTER).unref()
  }

  async function again(): Promise<void> {
    const announced = await announce().catch(() => undefined)
    if (announced === false) log.error('an import is running on the database of this server')
    if (announced !== true) later()
  }

  if (!(await announce())) {
    throw new StartupError('An import is running on this database: start when it has ended.')
  }
  await warnOfUnfinished()
  return {
    async end() {
      ended = true
      clearTimeout(retry)
      await current?.end().catch(() => undefined)
    },
  }
}
