import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'

/** The page that shows who may use what. */
export const accessPage = fileURLToPath(new URL('../../../docs/access.md', import.meta.url))

const BEGIN = '<!-- begin: written by npm run docs:access -->'
const END = '<!-- end -->'

/** The page as it should be with this table between its markers. */
export async function pageWith(table: string): Promise<string> {
  const page = await readFile(accessPage, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('docs/access.md has no markers')
  const style = await resolveConfig(accessPage)
  const text = `${before}${BEGIN}\n\n${table}\n\n${END}${after}`
  return format(text, { ...style, filepath: accessPage })
}
