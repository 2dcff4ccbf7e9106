import { gateAttachment } from '../../../src/messages/gate/attachments.ts'
import { gateHtml } from '../../../src/messages/gate/html.ts'
import { gateMarkdown } from '../../../src/messages/gate/markdown.ts'

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
    '> - ',
    '> - > - a\n',
    '- a\n  - b\n    - c\n',
    '[1]:/b\n',
    '<https://a>',
    '![a](https://b "c") ',
    '\n\n|a|b|c|d|\n|-|-|-|-|\na\na\na\n',
    '![c](https://d \\"x\\")',
    '[x](smb://é) ',
    '`a` [b](smb://c)\n- <b>\n> |a|\n> |-|\n',
    ']:',
    '\\\\',
    '<u>',
    '>```\n<b>\n',
    '[^1]',
    '#',
  ],
  ...['[x](smb://y) ', '![x](smb://y) ', '<smb://y> ', '![a](https://b "<b>") ', '```<x>\n```\n'],
  ...['\\<', '&lt;', '~', '# <b>\n', '- [ ] a\n', '`a` <!', '\t', 'a*b_', '***a', '<a@', '<a:'],
]
/** What begins like this is parsed, and not passed over as plainly harmless. */
const NOT_PLAIN = '[x](smb:) '

/** What each part of the gate is slowest with: something short, repeated up to so many characters. */
export const worstCases = [
  { name: 'HTML', gate: gateHtml, seeds: html, most: 100_000 },
  // Longer ones are refused before the gate.
  {
    name: 'Markdown',
    gate: gateMarkdown,
    seeds: markdown.map((seed) => `${NOT_PLAIN}${seed}`),
    most: 65_536,
  },
  {
    name: 'attachments',
    gate: gateAttachment,
    seeds: ['[', '{"a":', '{"url":"/a","a":"', ' '],
    most: 1_000_000,
  },
]

/** So often something is repeated that still is parsed, and not passed over as too much. */
const FEW = [50, 300, 1_500]

/** Texts of a length that repeat a seed: as often as will go in, and as often as may be parsed. */
export function repeated(seed: string, length: number): string[] {
  const first = seed.startsWith(NOT_PLAIN) ? NOT_PLAIN : ''
  const rest = seed.slice(first.length)
  const times = Math.ceil(length / rest.length)
  return [times, ...FEW.map((few) => Math.min(times, few))].map((count) =>
    `${first}${rest.repeat(count)}`.slice(0, length).padEnd(length, 'x'),
  )
}
