import type { MarkdownIt, StateBlock, StateInline } from 'markdown-it'

/** The type of a token that is no reader's: there is no saying how they will read it. */
export const UNCLEAR = 'unclear'

/** Admonitions in admonitions. */
const DEEPEST = 50

const DOLLAR = 0x24
const EXCLAMATION = 0x21

/** Whether a text can hold what only md-editor-v3 knows. */
export function needsEditor(text: string): boolean {
  return text.includes('$') || text.includes('!!!')
}

/** Teaches a parser what md-editor-v3 4.9 reads differently: formulas and admonitions. */
export function asEditor(parser: MarkdownIt): MarkdownIt {
  const alt = ['paragraph', 'reference', 'blockquote', 'list']
  parser.inline.ruler.after('escape', 'math_inline', inlineFormula)
  parser.block.ruler.after('blockquote', 'math_block', blockFormula, { alt })
  parser.block.ruler.before('code', 'admonition', admonition, { alt })
  return parser
}

/** `$a^2$`, which no space may follow, or precede where it ends. */
function inlineFormula(state: StateInline, silent: boolean): boolean {
  const { src, pos: start } = state
  if (src.charCodeAt(start) !== DOLLAR) return false
  const asText = (length: number) => {
    if (!silent) state.pending += src.slice(start, start + length)
    state.pos += length
    return true
  }
  if (/[ \t]/.test(src.charAt(start + 1))) return asText(1)
  const end = unescapedDollar(src, start + 1)
  if (end === -1) return asText(1)
  if (end === start + 1) return asText(2)
  if (/[ \t]/.test(src.charAt(end - 1)) || /\d/.test(src.charAt(end + 1))) return asText(1)
  if (!silent) state.push('math_inline', 'math', 0).content = src.slice(start + 1, end)
  state.pos = end + 1
  return true
}

function unescapedDollar(text: string, from: number): number {
  for (let at = text.indexOf('$', from); at !== -1; at = text.indexOf('$', at + 1)) {
    let first = at
    while (text[first - 1] === '\\') first -= 1
    if ((at - first) % 2 === 0) return at
  }
  return -1
}

/** From a line that begins with `$$` to one that ends with it. */
function blockFormula(
  state: StateBlock,
  startLine: number,
  endLine: number,
  silent: boolean,
): boolean {
  const first = lineOf(state, startLine)
  if (!first.startsWith('$$')) return false
  if (silent) return true
  let line = startLine
  if (!first.slice(2).trim().endsWith('$$')) {
    for (line += 1; line < endLine; line += 1) {
      const text = lineOf(state, line)
      if (text !== '' && (state.tShift[line] ?? 0) < state.blkIndent) break
      if (text.trim().endsWith('$$')) break
    }
  }
  state.line = line + 1
  const token = state.push('math_block', 'math', 0)
  token.map = [startLine, Math.min(state.line, endLine)]
  token.content = state.getLines(...token.map, 0, true)
  return true
}

/** From a line `!!! type title` to one with `!!!` alone, or to the end of what contains it. */
function admonition(
  state: StateBlock,
  startLine: number,
  endLine: number,
  silent: boolean,
): boolean {
  if (!/^!!!(?!!)/.test(lineOf(state, startLine))) return false
  if (silent) return true
  let line = startLine + 1
  let closed = false
  for (; line < endLine && !closed; line += 1) {
    const text = lineOf(state, line)
    const indent = (state.sCount[line] ?? 0) - state.blkIndent
    if (text !== '' && indent < 0) break
    closed = text.charCodeAt(0) === EXCLAMATION && indent < 4 && /^!{3,}\s*$/.test(text)
  }
  const end = closed ? line - 1 : line
  const { lineMax, parentType } = state
  state.parentType = 'root'
  state.lineMax = end
  const content = lineOf(state, startLine).slice(3).trim()
  // The editor cuts the type off by counting characters; where that could matter, nobody knows.
  const unclear = /[<[]/.test(content) && /[`$\\]/.test(content)
  const title = state.push(unclear ? UNCLEAR : 'inline', '', 0)
  Object.assign(title, { content, children: [], map: [startLine, startLine + 1] })
  // The editor does not count, and fails when its stack is full.
  if (state.level >= DEEPEST) state.push(UNCLEAR, '', 0)
  else {
    state.level += 1
    state.md.block.tokenize(state, startLine + 1, end)
    state.level -= 1
  }
  state.parentType = parentType
  state.lineMax = lineMax
  state.line = line
  return true
}

function lineOf({ src, bMarks, tShift, eMarks }: StateBlock, line: number): string {
  return src.slice((bMarks[line] ?? 0) + (tShift[line] ?? 0), eMarks[line])
}
