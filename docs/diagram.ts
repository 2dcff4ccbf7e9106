/** npm run docs:diagram: draws the tables of the schema into docs/database.md. */
import { readFile, writeFile } from 'node:fs/promises'
import { is } from 'drizzle-orm'
import { CasingCache } from 'drizzle-orm/casing'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import * as schema from '../src/database/schema.ts'

const PAGE = new URL('database.md', import.meta.url)
const [BEGIN, END] = ['<!-- diagram: npm run docs:diagram -->', '<!-- end of diagram -->']

const tables = Object.values(schema).filter((value) => is(value, PgTable))
const casing = new CasingCache('snake_case')

/** The tables, their columns and foreign keys as a Mermaid entity diagram. */
export function drawDiagram(): string {
  const lines = tables.flatMap((table) => {
    const { name, columns, foreignKeys } = getTableConfig(table)
    const references = foreignKeys.map((key) => key.reference())
    const isReference = (one: string) =>
      references.some(({ columns }) =>
        columns.some((column) => casing.getColumnCasing(column) === one),
      )
    const fields = columns.map((column) => {
      const field = casing.getColumnCasing(column)
      const keys = [column.primary && 'PK', isReference(field) && 'FK', column.isUnique && 'UK']
      const type = column
        .getSQLType()
        .replace(/ collate .*| \(\d\)|with time zone/g, '')
        .trim()
      return `    ${[type.replace('[]', '_array'), field, keys.filter(Boolean).join(', ')].join(' ').trim()}`
    })
    const arrows = references.map(({ columns, foreignTable }) => {
      const optional = columns.some((column) => !column.notNull)
      const label = columns.map((column) => casing.getColumnCasing(column)).join(', ')
      return `  ${getTableConfig(foreignTable).name} ${optional ? '|o' : '||'}--o{ ${name} : "${label}"`
    })
    return [`  ${name} {`, ...fields, '  }', ...arrows]
  })
  return ['```mermaid', 'erDiagram', ...lines, '```'].join('\n')
}

/** The page with the diagram of today between the marks. */
export async function currentPage(): Promise<{ page: string; current: string }> {
  const page = await readFile(PAGE, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('docs/database.md has no marks')
  return { page, current: `${before}${BEGIN}\n\n${drawDiagram()}\n\n${END}${after}` }
}

if (process.argv[1] === import.meta.filename) await writeFile(PAGE, (await currentPage()).current)
