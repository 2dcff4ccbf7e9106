import pg from 'pg'
import { PLANNING, type Queryable, type Statement } from '../../src/database/connection.ts'

/** A database on which query functions do not fetch, but say how many buffers they touch. */
export interface Explaining {
  /** Buffers (8 KiB pages, shared and local) that `work`'s statements touch, and how many they are. */
  buffers(work: (db: Queryable) => Promise<unknown>): Promise<{ pages: number; statements: number }>
  close(): Promise<void>
}

/** More than any statement gives. */
const MOST_COLUMNS = 32

interface Plan {
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly 'Local Hit Blocks': number
  readonly 'Local Read Blocks': number
  readonly 'Node Type': string
  readonly 'Parent Relationship'?: string
  readonly Plans?: readonly Plan[]
}

/** Pages that a plan touches. A change in a `with` that nobody reads is not in the numbers above it. */
function pagesOf(plan: Plan): number {
  const changes = (plan.Plans ?? []).filter(
    (one) => one['Parent Relationship'] === 'InitPlan' && one['Node Type'] === 'ModifyTable',
  )
  return [plan, ...changes].reduce(
    (sum, one) =>
      sum +
      one['Shared Hit Blocks'] +
      one['Shared Read Blocks'] +
      one['Local Hit Blocks'] +
      one['Local Read Blocks'],
    0,
  )
}

/**
 * The statements of the server itself, planned as it plans them. What they change is rolled back.
 *
 * @param url postgres:// address
 */
export async function openExplaining(url: string): Promise<Explaining> {
  const client = new pg.Client({ connectionString: url, options: PLANNING })
  await client.connect()
  let pages = 0
  let statements = 0

  async function run<Row extends readonly unknown[]>(
    { text }: Statement<Row>,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    await client.query(`prepare explained as ${text}`)
    const literals = values.map(literal).join(', ')
    const execute = `execute explained${literals === '' ? '' : `(${literals})`}`
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `explain (analyze, buffers, timing off, format json) ${execute}`,
    )
    await client.query('deallocate explained')
    const plan = rows[0]?.['QUERY PLAN'][0].Plan
    if (plan === undefined) throw new Error('no plan')
    pages += pagesOf(plan)
    statements += 1
    // One row, so that the caller does not ask whether the user exists; whatever is in it is empty.
    return [Array.from({ length: MOST_COLUMNS }, () => []) as unknown as Row]
  }

  const queryable: Queryable = {
    get orm(): never {
      throw new Error('only prepared statements are explained')
    },
    run,
  }
  return {
    async buffers(work) {
      await client.query('begin')
      try {
        // The first run may set hint bits; the second is what every later one is.
        await client.query('savepoint first')
        await work(queryable)
        await client.query('rollback to first')
        pages = 0
        statements = 0
        await work(queryable)
        return { pages, statements }
      } finally {
        await client.query('rollback')
      }
    },
    close: () => client.end(),
  }
}

/** A value as an untyped literal, so that PostgreSQL gives it the parameter's type. */
function literal(value: unknown): string {
  return value === null ? 'null' : pg.escapeLiteral(asText(value))
}

function asText(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map((one) => JSON.stringify(asText(one))).join(',')}}`
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Error(`a ${typeof value} is no value of these statements`)
}
