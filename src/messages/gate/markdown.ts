import type { MarkdownIt, Token } from 'markdown-it'
import { hasMarkup, isStoredUrl } from './html.ts'
import { defuse } from './markdown-defuse.ts'
import { AUTOLINK, DIAGRAM, EDITOR_TAG, FENCE_INFO, hasDoubtfulCode } from './markdown-patterns.ts'
import { UNCLEAR } from './markdown-editor.ts'
import { type Environment, read, readersOf, TooMuchToRead } from './markdown-readers.ts'

/** Nothing that harms can be in a text without one of these. */
const SUSPICIOUS = /[<[]|`{3}|~{3}/
/** What a parser has to stop at; nobody writes more of it in one message. */
const COSTLY = /[\n<[|`$*_~!&\\]/g
const MOST_COSTLY = 5_000

const EDITOR_TAGS = new RegExp(EDITOR_TAG, 'g')
/** A line like this begins HTML in some parser, whatever it is part of. */
const HTML_LINE = new RegExp(`^[ \\t]*(?!${EDITOR_TAG}|${AUTOLINK})<(?=[a-z/!?])`, 'im')

/**
 * Makes Markdown harmless: raw HTML, and links to anything but the web, mail and stored files, show
 * as text; the rest, code above all, stays byte for byte. A message is harmless when its parsers
 * find no harm in it; if they still do after it was defused, all of it becomes code.
 */
export function gateMarkdown(text: string): string {
  if (!SUSPICIOUS.test(text) || isQuoted(text)) return text
  try {
    return harmless(text)
  } catch (error) {
    if (error instanceof TooMuchToRead) return quoted(text)
    throw error
  }
}

function harmless(text: string): string {
  if ((text.match(COSTLY)?.length ?? 0) > MOST_COSTLY) return quoted(text)
  if (isHarmless(text)) return text
  const defused = defuse(text.replace(/\r\n?/g, '\n'))
  return defused !== undefined && isHarmless(defused) ? defused : quoted(text)
}

function isHarmless(text: string): boolean {
  return readersOf(text).every((reader) => {
    const { tokens, env } = read(reader, text)
    return areHarmless(tokens, reader, env)
  })
}

function areHarmless(tokens: readonly Token[], reader: MarkdownIt, env: Environment): boolean {
  return tokens.every((token) => {
    const { type, content, info, children } = token
    switch (type) {
      case 'inline':
        return (
          !HTML_LINE.test(content) &&
          !hasDoubtfulCode(children ?? []) &&
          areHarmless(children ?? [], reader, env)
        )
      case 'html_inline':
      case 'html_block':
        return !hasMarkup(content.replace(EDITOR_TAGS, ' '))
      case 'fence':
        return FENCE_INFO.test(info) && !(DIAGRAM.test(info) && hasMarkup(content))
      case 'math_inline':
      case 'math_block':
        return !hasMarkup(content)
      case 'link_open':
        return isLetThrough(attribute(token, 'href'))
      case 'image':
        // The editor reads the title as Markdown once more, with the definitions of the message.
        return (
          isLetThrough(attribute(token, 'src')) &&
          areHarmless(reader.parseInline(attribute(token, 'title'), env), reader, env)
        )
      default:
        return type !== UNCLEAR
    }
  })
}

function attribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? '')
}

function isLetThrough(address: string): boolean {
  if (/^(?:https?:\/\/|mailto:)/i.test(address)) return true
  try {
    return isStoredUrl(decodeURIComponent(address))
  } catch {
    return false
  }
}

/** The whole text as a block of code, which every parser reads alike. */
function quoted(text: string): string {
  const longest = Array.from(text.matchAll(/`{3,}/g), ([run]) => run.length)
  const fence = '`'.repeat(Math.max(2, ...longest) + 1)
  return `${fence}\n${text}\n${fence}`
}

function isQuoted(text: string): boolean {
  const fence = /^`{3,}\n/.exec(text)?.[0].length ?? 0
  return fence > 0 && text === quoted(text.slice(fence, -fence))
}
