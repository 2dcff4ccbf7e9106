import { type Queryable, type Statement, statement } from '../database/connection.ts'
import { accepted, type Candidate, refuse } from './candidates.ts'
import type { Reason } from './rules.ts'

const users = statement<[id: string]>(
  'known_users',
  'select id from users where id = any ($1::text[])',
)
const groups = statement<[id: string]>(
  'known_groups',
  'select id from groups where id = any ($1::text[])',
)
const spaces = statement<[id: string]>(
  'known_spaces',
  'select id from spaces where id = any ($1::text[])',
)

const TABLES = { users, groups, spaces } as const
const REASONS = {
  users: 'user-unknown',
  groups: 'group-unknown',
  spaces: 'space-unknown',
} as const satisfies Record<keyof typeof TABLES, Reason>

/** Those of some ids that a table has. */
export async function knownIn(
  db: Queryable,
  table: keyof typeof TABLES,
  ids: Iterable<string>,
): Promise<Set<string>> {
  const unique = [...new Set(ids)]
  if (unique.length === 0) return new Set()
  const found: Statement<[id: string]> = TABLES[table]
  return new Set((await db.run(found, [unique])).map(([id]) => id))
}

/** Refuses documents that refer to rows which are not there. */
export async function refuseUnknown<Row>(
  db: Queryable,
  candidates: readonly Candidate<Row>[],
  table: keyof typeof TABLES,
  references: (row: Row) => readonly string[],
): Promise<void> {
  const checked = accepted(candidates)
  const known = await knownIn(
    db,
    table,
    checked.flatMap(({ row }) => references(row)),
  )
  for (const candidate of checked) {
    const unknown = references(candidate.row).find((id) => !known.has(id))
    if (unknown !== undefined) refuse(candidate, REASONS[table], unknown)
  }
}
