import t from 'tap'
import { gateHtml } from '../../../src/messages/gate/html.ts'
import { gateMarkdown } from '../../../src/messages/gate/markdown.ts'
import { gateAttachment } from '../../../src/messages/gate/attachments.ts'

/** Ten times the text may take this many times as long; quadratic would be a hundred. */
const MOST_TIMES = 40
/** What is done faster than this is not compared: the clock would be measured. */
const FAST = 2

const html = [
  ...['<', '</', '<!', '<a', '<b>', '<br ', '<img alt="', '<img src="./gif/1.gif" ', '&lt;'],
  ...['<a href="https://', '<img src="./gif/1.gif" alt="x"', '<img alt="x" alt="x"', ' ', '"<'],
]
const markdown = [
  ...['*', '**a ', '_', '*_', '`', '` ', '`` ` ', '``` ', '<', '<a ', '<a x="', '<!--', '<?'],
  ...['<b>', '</b>', '[', '![', '[a](', '[a](<', '[a]: ', '[a]:b\n', '[a][', '](', '[[a]', '[a]\n'],
  ...[
    '> ',
    '>',
    '- ',
    '- \n',
    '1. ',
    '  - ',
    '\n',
    '|a|b|\n|-|-|\n',
    '|a',
    '|a\n',
    '$',
    '$a ',
    '$$\n',
  ],
  ...[
    '!!!\n',
    '!!! a\n',
    '$<b>$ ',
    '    <b>\n',
    '```\n<b>\n',
    '<div>\n',
    '<div>\n\n',
    '`<b>` ',
    '<u>',
  ],
  ...['[x](smb://y) ', '![x](smb://y) ', '<smb://y> ', '![a](https://b "<b>") ', '```<x>\n```\n'],
  ...['\\<', '&lt;', '~', '# <b>\n', '- [ ] a\n', '`a` <!', '\t', 'a*b_', '***a', '<a@', '<a:'],
]
const subjects = [
  { name: 'HTML', gate: gateHtml, seeds: html, most: 100_000 },
  // Longer ones are refused before the gate.
  {
    name: 'Markdown',
    gate: gateMarkdown,
    seeds: markdown.map((seed) => `[x] ${seed}`),
    most: 65_536,
  },
  {
    name: 'attachments',
    gate: gateAttachment,
    seeds: ['[', '{"a":', '{"url":"/a","a":"', ' '],
    most: 1_000_000,
  },
]

for (const { name, gate, seeds, most } of subjects) {
  await t.test(`${name} takes time in proportion to its length`, async (t) => {
    const slow = seeds.filter((seed) => {
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const long = cpuTime(gate, seed, most)
        if (long < FAST || long < MOST_TIMES * cpuTime(gate, seed, most / 10)) return false
      }
      return true
    })
    t.same(slow, [])
  })
}

/** Milliseconds of the processor, the best of a few attempts. */
function cpuTime(gate: (text: string) => unknown, seed: string, length: number): number {
  const [first = '', ...rest] = seed.split(/(?<=^\[x\] )/)
  const text = `${first}${(rest.join('') || first).repeat(Math.ceil(length / seed.length))}`
  const times = Array.from({ length: 3 }, () => {
    const start = process.cpuUsage()
    gate(text)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  })
  return Math.min(...times)
}
