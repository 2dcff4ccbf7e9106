import { DIAGRAM, FENCE_INFO, LET_THROUGH } from './markdown-patterns.ts'
import { escapeMarkup } from './html.ts'

/** More definitions, cells and levels than these take parsers, also those of readers, very long. */
const MOST_DEFINITIONS = 300
const MOST_CELLS = 5_000
const DEEPEST = /^(?:[ \t]*(?:>|[-+*]|\d{1,9}[.)])(?=[ \t>]|$)){20}|^[ \t]*>{20}/m

const DEFINITION = /^[ \t>*+\d.)-]*\[[^\n]*\]:/gm
const RULER = /^(?=.*\|)[ \t>*+\d.)|:-]*$/

/** Leads somewhere, or begins to, but not where everybody may be led. */
const LEADS_ELSEWHERE = new RegExp(`\\][(:](?!${LET_THROUGH})`, 'u')
const FORBIDDEN_SIGN = new RegExp(`(?<=\\])[(:](?!${LET_THROUGH})`, 'gu')
/** An address and the quote that begins its title, or one too long to tell. */
const TITLED = new RegExp(
  '\\][(:][ \\t\\n>]*(?:[^ \\t\\n]{512}|' +
    '(?:[^ \\t\\n()]{1,512}|[^ \\t\\n]{0,512}\\([^ \\t\\n]{0,512})[ \\t\\n>]+["\'(])',
  'g',
)
const MARKUP = /<[a-z/!?]/i
const FENCE_SIGNS = /`{3}|~{3}/

/** Whether a text keeps a parser busy out of all proportion. Takes time in proportion to it. */
export function isCostly(text: string): boolean {
  if (DEEPEST.test(text)) return true
  if ((text.match(DEFINITION)?.length ?? 0) > MOST_DEFINITIONS) return true
  return cells(text) > MOST_CELLS
}

/** At most so many cells do the tables of a text have: each row is as wide as its ruler. */
function cells(text: string): number {
  let count = 0
  let width = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') width = 0
    else if (RULER.test(line)) width = Math.max(width, line.split('|').length)
    count += width
  }
  return count
}

/**
 * Whether it can be seen without a parser that a text is harmless: no markup but in blocks of code
 * that everybody takes for code, no address but those let through, no title of a picture that
 * could decode to more than it shows.
 */
export function isPlain(text: string): boolean {
  const parts = MARKUP.test(text) ? split(text) : [{ code: false, text }]
  const rest = parts.map(({ code, text }) => (code ? '' : text)).join('\n')
  if (MARKUP.test(rest) || LEADS_ELSEWHERE.test(rest) || !saysOnlyLanguages(rest)) return false
  return !(mayDecode(rest) && rest.search(TITLED) !== -1)
}

/**
 * Takes all markup and forbidden links apart but in blocks of code that everybody takes for code.
 * In code within a line, and in other blocks, readers see `&lt;`: that is the price of not parsing.
 */
export function defuseLines(text: string): string {
  const defuse = (one: string) => {
    const defused = escapeMarkup(one).replace(FORBIDDEN_SIGN, (sign) => `\\${sign}`)
    if (!mayDecode(defused)) return defused
    return defused.replace(TITLED, (titled) => `]\\${titled.slice(1)}`)
  }
  return split(text)
    .map(({ code, text }) => (code ? text : defuse(text)))
    .join('\n')
}

/** Whether a title of a picture could decode to something, if there is one. */
function mayDecode(text: string): boolean {
  return text.includes('![') && /[&\\]/.test(text)
}

/** Whether nothing but a language stands behind each sign that may begin code. */
function saysOnlyLanguages(text: string): boolean {
  // Not `.`: for parsers a line ends only where `\n` is, not at U+2028.
  return Array.from(text.matchAll(/(?:`{3,}|~{3,})([^\n]*)/g)).every(
    ([, info = '']) => FENCE_INFO.test(info) && !DIAGRAM.test(info),
  )
}

interface Part {
  readonly code: boolean
  readonly text: string
}

/** A text as blocks of code and what is between them; one part where parsers might differ. */
function split(text: string): readonly Part[] {
  const whole = [{ code: false, text }]
  if (text.includes('\r')) return whole
  const parts: Part[] = []
  let lines: string[] = []
  let fence: string | undefined
  const end = (code: boolean) => {
    if (lines.length > 0) parts.push({ code, text: lines.join('\n') })
    lines = []
  }
  for (const line of text.split('\n')) {
    if (!FENCE_SIGNS.test(line)) {
      lines.push(line)
      continue
    }
    const [, signs, info = ''] = /^(`{3,}|~{3,})([^`~]*)$/.exec(line) ?? []
    if (signs === undefined) return whole
    if (fence === undefined) {
      if (!FENCE_INFO.test(info) || DIAGRAM.test(info)) return whole
      end(false)
      fence = signs
      lines.push(line)
    } else {
      if (signs !== fence || info.trim() !== '') return whole
      lines.push(line)
      end(true)
      fence = undefined
    }
  }
  end(fence !== undefined)
  // A block of formulas or an admonition may end in the middle of code.
  return parts.some(({ code, text }) => !code && /\$\$|!!!/.test(text)) ? whole : parts
}
