import { setTimeout as pause } from 'node:timers/promises'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Logger } from 'pino'
import * as schema from './schema.ts'
import { readTimestamp } from './timestamps.ts'

/** A statement that PostgreSQL plans once per connection; rows come as arrays in `select` order. */
export interface Statement<Row extends readonly unknown[]> {
  readonly name: string
  readonly text: string
  /** Only for the type checker: what a row holds. */
  readonly row?: Row
}

/** Names a constant SQL text, so that it is prepared once per connection. */
export function statement<Row extends readonly unknown[]>(
  name: string,
  text: string,
): Statement<Row> {
  return { name, text }
}

/**
 * An array parameter of ids, times and names of an enum: values that need no quotes. pg quotes each,
 * which takes several times as long.
 */
export function plainArray(values: readonly string[]): string {
  return `{${values.join(',')}}`
}

/** What query functions take first: the pool, or one transaction on it. */
export interface Queryable {
  /** drizzle on the same connection, for plain reads and writes. */
  readonly orm: NodePgDatabase<typeof schema>
  /** Runs a prepared statement. `int8` comes as number, `timestamptz` as Date, `date` as text. */
  run<Row extends readonly unknown[]>(
    statement: Statement<Row>,
    values?: readonly unknown[],
  ): Promise<Row[]>
}

/** The pool. */
export interface Database extends Queryable {
  /** Runs `work` in one transaction; use only the `tx` it is given, never the pool, inside. */
  readonly transaction: <Result>(work: (tx: Queryable) => Promise<Result>) => Promise<Result>
  /** Connections to the server, and how many of them are idle. */
  readonly pool: pg.Pool
  /** Resolves when the database answers again; all who wait share one question. */
  returned(): Promise<void>
  close(): Promise<void>
}

/** Before a database that went away is asked whether it is back, in milliseconds: more each time. */
const FIRST_ASKED_AFTER = 20
const ASKED_EVERY = 100

/**
 * How statements are planned. Custom plans cost more than they save: each has one good plan. It
 * starts from few rows, and a merge join would walk a whole index to find them.
 */
export const PLANNING = '-c plan_cache_mode=force_generic_plan -c enable_mergejoin=off'

/** Every value arrives as text; these three types are turned into what JavaScript works with. */
const typeParsers: Record<number, (text: string) => unknown> = {
  [pg.types.builtins.INT8]: Number,
  [pg.types.builtins.DATE]: (text) => text,
  [pg.types.builtins.TIMESTAMPTZ]: readTimestamp,
}

const parserOf: pg.CustomTypesConfig['getTypeParser'] = (oid, format) =>
  typeParsers[oid as number] ?? (pg.types.getTypeParser(oid, format) as (text: string) => unknown)

/**
 * Opens a pool.
 *
 * @param url postgres:// address
 * @param poolSize most connections at a time
 * @param name shown in pg_stat_activity
 */
export function openDatabase(
  url: string,
  poolSize: number,
  log: Logger,
  name = 'waifchat',
): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    // Covers the wait for a connection that others use, too.
    connectionTimeoutMillis: 4_000,
    statement_timeout: 5_000,
    lock_timeout: 2_000,
    idle_in_transaction_session_timeout: 10_000,
    // For a server that fell silent: no answer within its own limits is none at all.
    query_timeout: 6_000,
    keepAlive: true,
    application_name: name,
    options: `${PLANNING} -c synchronous_commit=on -c TimeZone=UTC -c DateStyle=ISO`,
    types: { getTypeParser: parserOf },
  })
  const onError = (error: Error) => log.warn({ err: error }, 'a database connection was lost')
  pool.on('error', onError)
  // The pool's own listener covers idle connections only.
  pool.on('connect', (client) => client.on('error', onError))

  let returned: Promise<void> | undefined
  async function askUntilItAnswers(): Promise<void> {
    let wait = FIRST_ASKED_AFTER
    do {
      await pause(wait)
      wait = Math.min(2 * wait, ASKED_EVERY)
    } while (!pool.ending && !(await answers(pool)))
    returned = undefined
  }

  return {
    ...queryable(pool),
    pool,
    async transaction(work) {
      const client = await pool.connect()
      // Ending the connection rolls back too, and is all that helps when nobody answers on it.
      let usable = false
      try {
        await client.query('begin')
        const result = await work(queryable(client))
        await client.query('commit')
        usable = true
        return result
      } catch (error) {
        if (databaseError(error) !== undefined) {
          usable = await client.query('rollback').then(
            () => true,
            () => false,
          )
        }
        throw error
      } finally {
        client.release(!usable)
      }
    },
    returned: () => (returned ??= askUntilItAnswers()),
    close: () => pool.end(),
  }
}

/** One connection with its own locks and temporary tables, for work that may take its time. */
export interface Session extends Queryable {
  /** Runs `work` in one transaction of this connection. */
  readonly transaction: <Result>(work: () => Promise<Result>) => Promise<Result>
  /** Why the connection is no more; undefined while it is there. */
  readonly lost: Error | undefined
  close(): Promise<void>
}

/**
 * Opens one connection without the limits that requests have.
 *
 * @param url postgres:// address
 * @param name shown in pg_stat_activity
 */
export async function openSession(url: string, name: string): Promise<Session> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    application_name: name,
    options: '-c TimeZone=UTC -c DateStyle=ISO -c synchronous_commit=on',
    types: { getTypeParser: parserOf },
  })
  let lost: Error | undefined
  // The next query fails, but no longer says what happened.
  client.on('error', (error) => (lost ??= error))
  await client.connect()
  return {
    ...queryable(client),
    get lost() {
      return lost
    },
    async transaction(work) {
      await client.query('begin')
      try {
        const result = await work()
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback').catch(() => undefined)
        throw error
      }
    },
    close: () => client.end(),
  }
}

function answers(pool: pg.Pool): Promise<boolean> {
  return pool.query('select 1').then(
    () => true,
    () => false,
  )
}

function queryable(client: pg.Pool | pg.PoolClient | pg.Client): Queryable {
  return {
    orm: drizzle(client, { schema, casing: 'snake_case' }),
    async run<Row extends readonly unknown[]>(query: Statement<Row>, values?: readonly unknown[]) {
      const config = { name: query.name, text: query.text, values, rowMode: 'array' }
      const { rows } = await client.query(config as pg.QueryArrayConfig)
      return rows as unknown as Row[]
    },
  }
}

/** Whether an error is PostgreSQL refusing a second row under one unique key. */
export function isUniqueViolation(error: unknown): boolean {
  return databaseError(error)?.code === '23505'
}

/**
 * Whether a statement may succeed when it is tried again: the connection was lost or could not be
 * made, the server is stopping or starting, or a lock or time limit was hit.
 */
export function isPassing(error: unknown): boolean {
  const code = databaseError(error)?.code
  return code === undefined || /^(08|40|53|55P03|57)/.test(code)
}

/**
 * Tries again, as soon as the database is back, what failed because it was away.
 *
 * @param work is told whether it may have taken effect already
 * @param patience milliseconds after which it fails all the same
 * @param wanted whether there is still a reason to try
 */
export async function persistently<Result>(
  db: Database,
  work: (again: boolean) => Promise<Result>,
  patience: number,
  wanted: () => boolean = () => true,
): Promise<Result> {
  const deadline = performance.now() + patience
  for (let again = false; ; again = true) {
    try {
      return await work(again)
    } catch (error) {
      const left = deadline - performance.now()
      if (!isPassing(error) || left <= 0) throw error
      await Promise.race([db.returned(), pause(left, undefined, { ref: false })])
      if (!wanted()) throw error
    }
  }
}

/** PostgreSQL's own error; undefined when the statement may not have reached it. */
function databaseError(error: unknown): pg.DatabaseError | undefined {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof pg.DatabaseError ? cause : undefined
}
