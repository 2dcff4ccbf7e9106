import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A database of a test file's own, with all migrations applied. */
export interface TestDatabase {
  readonly url: string
  /** Looks first whether its data are sound. @throws when `health_problems` has a row */
  drop(): Promise<void>
}

/** What is wrong with the data, by every check there is; at most 20 problems. */
export async function healthProblems(url: string): Promise<unknown[]> {
  const { rows } = await execute(url, 'select * from health_problems limit 20')
  return rows as unknown[]
}

/** Address of another database on the same server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Runs one statement on a database of its own connection. */
export async function execute(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

/**
 * Copies the migrated template; `empty` gives a database without a schema instead.
 *
 * @param options.brokenBy why its data need not be sound when it is dropped
 */
export async function createTestDatabase(
  from: 'template' | 'empty' = 'template',
  { brokenBy }: { readonly brokenBy?: string } = {},
): Promise<TestDatabase> {
  // Where the tests' PostgreSQL is: started by `test/run.ts`, which sets these two.
  const { TEST_DATABASE_URL: server, TEST_DATABASE_TEMPLATE: migrated } = process.env
  if (server === undefined || migrated === undefined) {
    throw new Error('run the tests with: npm test -- test/some.test.ts')
  }
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = from === 'template' ? migrated : 'template0'
  await execute(server, `create database ${name} template ${template}`)
  const url = databaseUrl(server, name)
  return {
    url,
    async drop() {
      try {
        const checked = from === 'template' && brokenBy === undefined
        if (checked) assert.deepEqual(await healthProblems(url), [], 'health problems')
      } finally {
        await execute(server, `drop database if exists ${name} with (force)`)
      }
    },
  }
}
