import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { sabotages, type SabotageName } from './sabotages.ts'

interface Loaded {
  format: string
  source: string
  shortCircuit: boolean
}

const root = new URL('../..', import.meta.url)
const { file, fragment, replacement } = sabotages[process.env['SABOTAGE'] as SabotageName]
const { href } = new URL(file, root)

/** Node.js hook: the sabotaged file is compiled here, all others as always. */
export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<Loaded>,
): Promise<Loaded> {
  if (url.split('?')[0] !== href) return next(url, context)
  const code = await readFile(fileURLToPath(href), 'utf8')
  if (code.split(fragment).length !== 2) throw new Error(`not there, or not once: ${fragment}`)
  const { outputText } = ts.transpileModule(
    code.replace(fragment, () => replacement),
    { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext } },
  )
  return { format: 'module', source: outputText, shortCircuit: true }
}
