/**
 * Generated messages. More of them than `npm test` takes, with another seed each time:
 * GATE_STRINGS=1000000 node --import tsx test/messages/gate/generated.test.ts
 */
import fc from 'fast-check'
import t from 'tap'
import { gateHtml } from '../../../src/messages/gate/html.ts'
import { gateMarkdown } from '../../../src/messages/gate/markdown.ts'
import { forbiddenInHtml, forbiddenInMarkdown } from './forbidden.ts'
import { htmlAttacks, markdownAttacks, NAMED_SIGNS, shown } from './vectors.ts'

const given = process.env.GATE_STRINGS
const numRuns = Number(given ?? 20_000)
const options = { numRuns, ...(given === undefined ? { seed: 7 } : {}) }
t.setTimeout(given === undefined ? 300_000 : 0)

const htmlPieces = [
  ...'< > </ <! <? /> = " \' ` & &lt; &#60; &quot; -- --> --!> ]]> \n \t / : ; // \\ # ?'.split(
    ' ',
  ),
  ...['\f', '\v', '\u00a0', '\u2028', '\u2029', ' ', '  ', '\n', '\t', 'é', '中文', '\u{1f600}'],
  ...'a b i u em strong p br div span code pre img svg math style script table template'.split(' '),
  ...'src href alt class width height style onerror onload target rel id title'.split(' '),
  ...['"./gif/1.gif"', '"https://a.example"', '"_blank"', '"65"', '"emoji"', '"/a.jpg"'],
  ...['javascript:alert(1)', 'x', '//evil.example', '=x', '="', "='", ' src=x onerror=alert(1)'],
  ...['<b>', '</b>', '<br>', '<div>', '</div>', '<img src="./gif/1.gif">', '<img ', '<a '],
  ...NAMED_SIGNS,
  ...[' src="/', '<img src="/', '&#47;', '&amp;', 'noopener', 'opener', 'data-v-1a2b3c4d=""'],
  ...['<a href="https://a.example" target="_blank">', '</a>', '<img src="./gif/1.gif" '],
]
const markdownPieces = [
  ...htmlPieces,
  ...'` `` ``` ~~~ $ $$ !!! !!! # ## > - 1. * ** _ [ ] ]( ) ![ | \\ \\` ::: [^1]: ===  ---'.split(
    ' ',
  ),
  ...[
    '\n',
    '\n\n',
    '\n    ',
    '\n> ',
    '\n- ',
    '\n```\n',
    '\n$$\n',
    '\n!!!\n',
    '\n!!! note ',
    '\r\n',
  ],
  ...['](https://a.example)', '](smb://x)', '](/a.jpg "t")', '[r]', '\n[r]: smb://x\n'],
  ...['\n[r]: //evil.example/x.png "t"\n', '[r]:', '![y][r]', '![x](https://a.example "', '")'],
  ...['- [ ] ', '- [x] ', '# ', '`|`', '\n\t', '\u3000', '\ufeff', '\\`', '\\$', '~~', '&#96;'],
  ...['```mermaid\n', '```js [g:T]\n', '<https://a.example>', '|a|b|\n|-|-|\n', '<u>', '</u>'],
]

function soup(pieces: readonly string[], attacks: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...pieces) },
    { weight: 2, arbitrary: fc.constantFrom(...attacks) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  )
  return fc.array(piece, { maxLength: 16, size: 'max' }).map((parts) => parts.join(''))
}

const subjects = [
  {
    name: 'HTML',
    strings: soup(htmlPieces, htmlAttacks),
    gate: gateHtml,
    forbidden: forbiddenInHtml,
    // How much of it must be found where there is no gate, or the test could not see anything.
    foundWithout: 0.5,
  },
  {
    name: 'Markdown',
    strings: soup(markdownPieces, markdownAttacks),
    gate: gateMarkdown,
    forbidden: forbiddenInMarkdown,
    foundWithout: 0.3,
  },
]

for (const { name, strings, gate, forbidden, foundWithout } of subjects) {
  await t.test(`${numRuns} generated messages in ${name}`, async (t) => {
    let changed = 0
    // Not `assert`, whose message may hold what ends a line of the report.
    const outcome = fc.check(
      fc.property(strings, (sent) => {
        const stored = gate(sent)
        if (stored !== sent) changed += 1
        const found = forbidden(stored)
        if (found.length > 0) throw new Error(`${shown(stored)} holds ${shown(found.join(', '))}`)
        if (gate(stored) !== stored) throw new Error(`changed twice: ${shown(stored)}`)
      }),
      options,
    )
    t.notOk(outcome.failed, `seed ${outcome.seed}: ${String(outcome.errorInstance)}`)
    t.ok(changed > 0 && changed < numRuns, `${changed} of them were changed`)

    const controls = fc.sample(strings, { numRuns: 2_000, seed: 7 })
    const found = controls.filter((sent) => forbidden(sent).length > 0).length
    t.ok(found > controls.length * foundWithout, `${found} of ${controls.length} without the gate`)
  })
}
