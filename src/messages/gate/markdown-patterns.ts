import type { Token } from 'markdown-it'

/** What the editor's buttons for underlined, sub- and superscript text write. */
export const EDITOR_TAG = '</?(?:u|sub|sup)>'

/** `<https://example.com>`, `<mailto:a@example.com>` and `<a@example.com>`. */
export const AUTOLINK = "<(?:https?://|mailto:)[^\\s<>]*>|<[\\w.!#$%&'*+/=?^`{|}~-]+@[\\w.-]+>"

/**
 * Whether there are backticks in the text beside code that would do harm as text: parsers do not
 * agree which of several runs of backticks belong together.
 */
export function hasDoubtfulCode(children: readonly Token[]): boolean {
  const is = (kind: string, sign: RegExp) =>
    children.some(({ type, content }) => type === kind && sign.test(content))
  return is('text', /`/) && is('code_inline', /[<[\]]/)
}

/** The editor puts a diagram's code into HTML as it is, and reads its text back from there. */
export const DIAGRAM = /^\s*mermaid/i

/** A language, and the editor's `[id:title]` for code in tabs; it puts both into HTML as they are. */
export const FENCE_INFO = /^\s*[\w+#.-]{0,30}(?:\s*\[\w{0,30}(?::[\w ]{0,30})?\])?\s*$/

/** What may follow the sign between a link and its address: the web, mail, a file by a plain name. */
export const LET_THROUGH =
  '[ \\t\\n]*(?:https?://|mailto:|/[^\\p{C}\\p{Z}#?%&\\\\/"\'`<>()]{1,255}(?![^ \\t\\n)]))'
