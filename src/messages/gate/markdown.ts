import type { Token } from 'markdown-it'
import { isStoredUrl, markupIn } from './html.ts'
import { placeOf, readersOf } from './markdown-readers.ts'
import { Source, Unclear } from './markdown-source.ts'

/** Escaping what a block of HTML began shows what it held; nested deeper, the message is quoted. */
const MOST_ROUNDS = 4

/** More changes than this, and the message is quoted. */
const MOST_EDITS = 2_000

/** Nothing of what is looked for can be in a text without one of these. */
const SUSPICIOUS = /[<[]|`{3}|~{3}/
/** What the editor's buttons for underlined, sub- and superscript text write. */
const EDITOR_TAG = /<\/?(?:u|sub|sup)>/y
/** `<https://example.com>` and `<a@example.com>`. */
const AUTOLINK = /<[a-z][a-z\d+.-]{1,31}:[^\s<>]*>|<[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+>/iy
/** What parsers of other ages may take for HTML although this one does not. */
const MAYBE_HTML = /^[ \t]*<(?=[a-z/])|<(?=[!?])/gim
/** These began a block of HTML, even within a paragraph, in parsers before this one. */
const OLD_BLOCK = /<\/?(?:meta|source)\b/iy
/** A language, and the editor's `[id:title]` for code in tabs; it puts both into HTML as they are. */
const FENCE_INFO = /^\s*[\w+#.-]{0,30}(?:\s*\[\w{0,30}(?::[\w ]{0,30})?\])?\s*$/
const LANGUAGE = /^\s*[\w+#.-]{0,30}/
/** The editor puts a diagram's code into HTML as it is, and reads its text back from there. */
const DIAGRAM = /^\s*mermaid/i
/** The editor reads the title of a picture as Markdown once more. */
const READ_AGAIN = /<[a-z/!?]|[\]$]/i

/** In a text, `insert` takes the place of `remove` characters at `at`. */
interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

/**
 * Makes Markdown harmless: raw HTML and links to anything but the web, mail and stored files show
 * as text, the rest, code above all, stays byte for byte. What it cannot sort out becomes code.
 */
export function gateMarkdown(text: string): string {
  if (!SUSPICIOUS.test(text)) return text
  try {
    let gated = text.replace(/\r\n?/g, '\n')
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const edits = readersOf(gated).flatMap((reader) => dangersIn(reader.parse(gated, {}), gated))
      if (edits.length === 0) return round === 0 ? text : gated
      if (edits.length > MOST_EDITS) break
      gated = withEdits(gated, edits)
    }
  } catch (error) {
    if (!(error instanceof Unclear)) throw error
  }
  return quoted(text)
}

/** What must be changed so that nothing in a text can run, as one reader understands it. */
function dangersIn(tokens: readonly Token[], text: string): Edit[] {
  const source = new Source(text)
  return tokens.flatMap((token) => {
    if (token.map !== null) source.enter(token.map)
    switch (token.type) {
      case 'html_block':
        return source.markup().filter(isNoEditorTag).map(escaped)
      case 'math_block':
        return source.markup().map(spaced)
      case 'fence':
        return fenceDangers(token, source)
      case 'inline':
        return inlineDangers(token, source)
      case 'unclear':
        throw new Unclear()
      default:
        return []
    }
  })

  function isNoEditorTag(at: number): boolean {
    return !begins(EDITOR_TAG, text, at)
  }
}

function fenceDangers({ info }: Token, source: Source): Edit[] {
  const inside = DIAGRAM.test(info) ? source.markup(1).map(escaped) : []
  if (FENCE_INFO.test(info)) return inside
  const insert = LANGUAGE.exec(info)?.[0] ?? ''
  return [{ at: source.endOfFirstLine() - info.length, remove: info.length, insert }, ...inside]
}

function inlineDangers({ content, children }: Token, source: Source): Edit[] {
  const find = source.finder(content)
  const edits: Edit[] = []
  const code: [start: number, end: number][] = []
  for (const token of children ?? []) {
    const at = placeOf(token)
    if (isHarmful(token, content)) edits.push(neutralised(token, find(at)))
    if (token.type === 'code_inline') code.push([at, endOfCode(content, at, token.markup)])
    if (token.type === 'math_inline') {
      edits.push(...markupIn(token.content).map((place) => spaced(find(at + 1 + place))))
    }
  }
  let passed = 0
  for (const { index, 0: match } of content.matchAll(MAYBE_HTML)) {
    const at = index + match.length - 1
    if (begins(EDITOR_TAG, content, at) || begins(AUTOLINK, content, at)) continue
    while ((code[passed]?.[1] ?? Infinity) <= at) passed += 1
    const isCode = (code[passed]?.[0] ?? Infinity) < at
    if (!isCode || begins(OLD_BLOCK, content, at)) edits.push(escaped(find(at)))
  }
  return edits
}

/** Where code ends that a run of backticks begins: after the next run that is as long. */
function endOfCode(content: string, at: number, run: string): number {
  const runs = /`+/g
  runs.lastIndex = at + run.length
  for (let next = runs.exec(content); next !== null; next = runs.exec(content)) {
    if (next[0].length === run.length) return runs.lastIndex
  }
  return content.length
}

function isHarmful(token: Token, content: string): boolean {
  switch (token.type) {
    case 'html_inline':
      return !begins(EDITOR_TAG, content, placeOf(token))
    case 'link_open':
      return !isLetThrough(token.attrGet('href'))
    case 'image':
      return (
        !isLetThrough(token.attrGet('src')) || READ_AGAIN.test(String(token.attrGet('title') ?? ''))
      )
    default:
      return false
  }
}

function neutralised({ type, markup }: Token, at: number): Edit {
  if (type === 'html_inline' || markup === 'autolink') return escaped(at)
  return { at: type === 'image' ? at + 1 : at, remove: 0, insert: '\\' }
}

function isLetThrough(address: string | number | null): boolean {
  const url = String(address ?? '')
  if (/^(?:https?:\/\/|mailto:)/i.test(url)) return true
  try {
    return isStoredUrl(decodeURIComponent(url))
  } catch {
    return false
  }
}

function escaped(at: number): Edit {
  return { at, remove: 1, insert: '&lt;' }
}

/** In a formula `<` followed by a space means the same, and is no markup in HTML. */
function spaced(at: number): Edit {
  return { at, remove: 1, insert: '< ' }
}

function begins(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at
  return pattern.test(text)
}

function withEdits(text: string, edits: readonly Edit[]): string {
  const byPlace = new Map(edits.map((edit) => [edit.at, edit]))
  const parts: string[] = []
  let end = 0
  for (const { at, remove, insert } of [...byPlace.values()].sort((a, b) => a.at - b.at)) {
    parts.push(text.slice(end, at), insert)
    end = at + remove
  }
  return parts.join('') + text.slice(end)
}

/** The whole text as a block of code, which every parser reads alike. */
function quoted(text: string): string {
  const longest = Array.from(text.matchAll(/`{3,}/g), ([run]) => run.length)
  const fence = '`'.repeat(Math.max(2, ...longest) + 1)
  return `${fence}\n${text}\n${fence}`
}
