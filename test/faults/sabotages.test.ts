import { readFile } from 'node:fs/promises'
import t from 'tap'
import { cases } from './cases/table.ts'
import { sabotages, type SabotageName } from './sabotages.ts'

await t.test('each sabotage finds its fragment once', async (t) => {
  for (const [name, { file, fragment }] of Object.entries(sabotages)) {
    const source = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')
    t.equal(source.split(fragment).length - 1, 1, name)
  }
})

await t.test('each sabotage is a control of a case', (t) => {
  const used = cases.flatMap(({ controls }) => controls.map(({ sabotage }) => sabotage))
  t.same(new Set(used), new Set(Object.keys(sabotages) as SabotageName[]))
  t.end()
})
