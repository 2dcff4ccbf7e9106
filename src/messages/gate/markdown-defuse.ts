import type { MarkdownIt, Token } from 'markdown-it'
import { AUTOLINK, DIAGRAM, EDITOR_TAG, FENCE_INFO, LET_THROUGH } from './markdown-patterns.ts'
import { type Budget, read, readersOf } from './markdown-readers.ts'

const NOT_ESCAPED = '(?<!(?<!\\\\)(?:\\\\\\\\)*\\\\)'
const HTML_BEGINS = `${NOT_ESCAPED}(?!${EDITOR_TAG}|${AUTOLINK})<(?=[a-z/!?])`
/** The sign between a link's text, or the name of one, and an address that is not let through. */
const ADDRESS_FOLLOWS = `(?<=\\])[(:](?!${LET_THROUGH}|[ \\t\\n]*<(?:https?://|mailto:))`
const SIGN = new RegExp(`${HTML_BEGINS}|${ADDRESS_FOLLOWS}`, 'giu')

/** The line that begins code, up to the language. */
const FENCE = /^[^]*?(?:`{3,}|~{3,})\s*[\w+#.-]{0,30}/

/** Signs to take apart; a message with more of them is not worth the time. */
const MOST_SIGNS = 1_000

/** Characters without a meaning, of which there are more than a message can hold. */
const MARK = /[\u{f0000}-\u{10ffff}]/gu
const FIRST_MARK = 0xf0000
/** One that a line begins with. */
const FIRST_IN_LINE = /^[ \t]*([\u{f0000}-\u{10ffff}])/gmu

/**
 * Takes the signs apart that make HTML and links of what is not code, and leaves the language only
 * of what is said about code. A parser tells what is code, but not where in the text that was: so
 * each sign is replaced by a mark of its own, which is looked for in what was parsed. Undefined
 * when there are too many. Throws TooMuchToRead.
 */
export function defuse(text: string, budget: Budget): string | undefined {
  const { marked, signs } = mark(text)
  if (signs.size > MOST_SIGNS) return undefined
  const seen = readersOf(text).map((reader) => see(reader, marked, budget))
  const lines = marked.split('\n')
  for (const line of seen.flatMap(({ fences }) => fences)) {
    lines[line] = FENCE.exec(lines[line] ?? '')?.[0] ?? ''
  }
  return lines.join('\n').replace(MARK, (one) => {
    const sign = signs.get(one)
    if (sign === undefined) return one
    if (seen.every(({ code }) => code.has(one))) return sign
    if (sign !== '<') return `\\${sign}`
    // With a space behind it, it means the same in a formula, and is no markup in HTML.
    return seen.some(({ formulas }) => formulas.has(one)) ? '< ' : '&lt;'
  })
}

function mark(text: string): { marked: string; signs: ReadonlyMap<string, string> } {
  const taken = new Set(text.match(MARK))
  const signs = new Map<string, string>()
  let next = FIRST_MARK
  const marked = text.replace(SIGN, (sign) => {
    while (taken.has(String.fromCodePoint(next))) next += 1
    const one = String.fromCodePoint(next)
    next += 1
    signs.set(one, sign)
    return one
  })
  return { marked, signs }
}

/** What a reader takes for code and for formulas, and the lines that say too much about code. */
interface Seen {
  readonly code: Set<string>
  readonly formulas: Set<string>
  readonly fences: number[]
}

function see(reader: MarkdownIt, marked: string, budget: Budget): Seen {
  const seen: Seen = { code: new Set(), formulas: new Set(), fences: [] }
  const add = (to: Set<string>, text: string) => {
    for (const [one] of text.matchAll(MARK)) to.add(one)
  }
  const walk = ({ type, content, info, map, children }: Token): void => {
    if (type === 'fence' && map !== null && !FENCE_INFO.test(info)) seen.fences.push(map[0])
    if (type.startsWith('math')) add(seen.formulas, content)
    else if (type.startsWith('code') || (type === 'fence' && !DIAGRAM.test(info))) {
      add(seen.code, content)
    }
    children?.forEach(walk)
    // Where a line begins with HTML, parsers disagree whether it ends a paragraph, code and all.
    if (type === 'inline') {
      for (const [, one = ''] of content.matchAll(FIRST_IN_LINE)) seen.code.delete(one)
    }
  }
  read(reader, marked, budget).tokens.forEach(walk)
  return seen
}
