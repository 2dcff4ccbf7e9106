import type { MarkdownIt, Token } from 'markdown-it'
import { hasMarkup, isStoredUrl } from './html.ts'
import { defuse } from './markdown-defuse.ts'
import { AUTOLINK, DIAGRAM, EDITOR_TAG, FENCE_INFO, hasDoubtfulCode } from './markdown-patterns.ts'
import { UNCLEAR } from './markdown-editor.ts'
import { defuseLines, isCostly, isPlain } from './markdown-plain.ts'
import { Budget, type Environment, read, readersOf, TooMuchToRead } from './markdown-readers.ts'

/** Nothing that harms can be in a text without one of these. */
const SUSPICIOUS = /[<[]|`{3}|~{3}/
/** Longer ones, in characters, are not taken apart: reading them again would take too long. */
const LONGEST_DEFUSED = 16_384

const EDITOR_TAGS = new RegExp(EDITOR_TAG, 'g')
/** A line like this begins HTML in some parser, whatever it is part of. */
const HTML_LINE = new RegExp(`^[ \\t]*(?!${EDITOR_TAG}|${AUTOLINK})<(?=[a-z/!?])`, 'im')

/**
 * Makes Markdown harmless: raw HTML, and links to anything but the web, mail and stored files, show
 * as text; the rest, code above all, stays byte for byte. A message is harmless when its parsers
 * find no harm in it; if they still do after it was defused, all of it becomes code.
 */
export function gateMarkdown(text: string): string {
  if (isQuoted(text)) return text
  if (isCostly(text)) return quoted(text)
  if (!SUSPICIOUS.test(text) || isPlain(text)) return text
  return readAndDefused(text) ?? defusedByLines(text) ?? quoted(text)
}

/** The text as it came or without what harms; undefined when that takes too long or harms still. */
function readAndDefused(text: string): string | undefined {
  const budget = new Budget()
  try {
    if (isHarmless(text, budget)) return text
    if (text.length > LONGEST_DEFUSED) return undefined
    const defused = defuse(text.replace(/\r\n?/g, '\n'), budget)
    if (defused === undefined || isCostly(defused)) return undefined
    return isPlain(defused) || isHarmless(defused, budget) ? defused : undefined
  } catch (error) {
    if (error instanceof TooMuchToRead) return undefined
    throw error
  }
}

function defusedByLines(text: string): string | undefined {
  const defused = defuseLines(text.replace(/\r\n?/g, '\n'))
  return isPlain(defused) && !isCostly(defused) ? defused : undefined
}

function isHarmless(text: string, budget: Budget): boolean {
  return readersOf(text).every((reader) => {
    const { tokens, env } = read(reader, text, budget)
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
        return (
          isLetThrough(attribute(token, 'src')) &&
          isHarmlessCaption(attribute(token, 'title'), reader, env)
        )
      default:
        return type !== UNCLEAR
    }
  })
}

/** The editor reads a title as Markdown once more, with the definitions of the message. */
function isHarmlessCaption(title: string, reader: MarkdownIt, env: Environment): boolean {
  return !/[<[]/.test(title) || areHarmless(reader.parseInline(title, env), reader, env)
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
