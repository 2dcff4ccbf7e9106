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
    '<u>',
  ],
  ...['[x](smb://y) ', '![x](smb://y) ', '<smb://y> ', '![a](https://b "<b>") ', '```<x>\n```\n'],
  ...['\\<', '&lt;', '~', '# <b>\n', '- [ ] a\n', '`a` <!', '\t', 'a*b_', '***a', '<a@', '<a:'],
]
/** What each part of the gate is slowest with: something short, repeated up to so many characters. */
export const worstCases = [
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

/** As many of these are parsed; more of them in one message, and it becomes code at once. */
const MOST_COSTLY = 5_000
const COSTLY = /[\n<[|`$*_~!&\\]/g

/** Texts of a length that repeat a seed: as often as will go in, and as often as is parsed. */
export function repeated(seed: string, length: number): string[] {
  // What `[x] ` begins is Markdown, and is not passed over as plain text.
  const first = seed.startsWith('[x] ') ? '[x] ' : ''
  const rest = seed.slice(first.length)
  const times = Math.ceil(length / rest.length)
  const costly = rest.match(COSTLY)?.length ?? 0
  const parsed = costly === 0 ? times : Math.floor((MOST_COSTLY - 2) / costly)
  return [times, Math.min(times, parsed)].map((count) =>
    `${first}${rest.repeat(count)}`.slice(0, length).padEnd(length, 'x'),
  )
}
