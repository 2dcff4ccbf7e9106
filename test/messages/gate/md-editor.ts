/**
 * What md-editor-v3 4.9.0 makes of Markdown, without anything of the gate: its parser, its two
 * plugins from elsewhere, and its own ones written after its source, as trusting as they are there.
 */
import type { MarkdownIt, StateBlock, Token } from 'markdown-it'
import createParser from 'markdown-it-13'
import figures from 'markdown-it-image-figures'
import taskLists from 'markdown-it-task-lists'

const alt = ['paragraph', 'reference', 'blockquote', 'list']

/** The editor's renderer, on the parser that it came with or on another one. */
export function createEditor(create: typeof createParser = createParser): MarkdownIt {
  const editor = create({ html: true, breaks: true })
  formulas(editor)
  editor.use(figures, { figcaption: true, classes: 'md-zoom' })
  admonitions(editor)
  editor.use(taskLists)
  headings(editor)
  const fence = editor.renderer.rules.fence
  if (fence === undefined) throw new Error('no rule shows code')
  editor.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index] as Token
    if (info === 'mermaid') return `<div class="mermaid">${content.trim()}</div>`
    return `${tab(editor, info)}${fence(tokens, index, ...rest)}`
  }
  const { escapeHtml } = editor.utils
  editor.set({
    highlight: (code, language) =>
      `<pre><code class="language-${language}" language=${language}>${escapeHtml(code)}</code></pre>`,
  })
  return editor
}

function formulas(editor: MarkdownIt): void {
  editor.inline.ruler.after('escape', 'math_inline', (state, silent) => {
    const { src, pos } = state
    if (src[pos] !== '$') return false
    const shown = (text: string) => {
      if (!silent) state.pending += text
      state.pos = pos + text.length
      return true
    }
    const blank = (at: number) => src[at] === ' ' || src[at] === '\t'
    if (blank(pos + 1)) return shown('$')
    let end = pos + 1
    for (; (end = src.indexOf('$', end)) !== -1; end += 1) {
      let before = end - 1
      while (src[before] === '\\') before -= 1
      if ((end - before) % 2 === 1) break
    }
    if (end === -1) return shown('$')
    if (end === pos + 1) return shown('$$')
    const next = src.charCodeAt(end + 1)
    if (blank(end - 1) || (next >= 48 && next <= 57)) return shown('$')
    if (!silent) state.push('math_inline', 'math', 0).content = src.slice(pos + 1, end)
    state.pos = end + 1
    return true
  })
  editor.block.ruler.after(
    'blockquote',
    'math_block',
    (state, start, end, silent) => {
      let line = lineAt(state, start)
      if (!line.startsWith('$$')) return false
      if (silent) return true
      line = line.slice(2)
      let closed = line.trim().endsWith('$$')
      let content = closed ? line.trim().slice(0, -2) : line
      if (content.trim() !== '') content += '\n'
      let last = start
      let tail = ''
      while (!closed) {
        last += 1
        if (last >= end) break
        const text = lineAt(state, last)
        if (text !== '' && (state.tShift[last] ?? 0) < state.blkIndent) break
        if (!text.trim().endsWith('$$')) continue
        tail = text.slice(0, text.lastIndexOf('$$'))
        closed = true
      }
      state.line = last + 1
      const token = state.push('math_block', 'math', 0)
      token.content =
        content + state.getLines(start + 1, last, state.tShift[start] ?? 0, true) + tail
      token.map = [start, state.line]
      return true
    },
    { alt },
  )
  const { rules } = editor.renderer
  rules.math_inline = (tokens, index) =>
    `<span class="katex">${tokens[index]?.content ?? ''}</span>`
  rules.math_block = (tokens, index) => `<p class="katex">${tokens[index]?.content ?? ''}</p>\n`
}

function admonitions(editor: MarkdownIt): void {
  editor.block.ruler.before(
    'code',
    'admonition',
    (state, start, end, silent) => {
      const [, given] = /^!!!(?!!)(.*)$/s.exec(lineAt(state, start)) ?? []
      if (given === undefined) return false
      if (silent) return true
      const [type = '', ...words] = given.trim().split(' ', 2)
      // It cuts as many characters off as the type has, and two.
      const title = words.length > 0 ? given.substring(type.length + 2) : ''
      let closed = false
      let last = start + 1
      for (; last < end; last += 1) {
        const text = lineAt(state, last)
        const indent = (state.sCount[last] ?? 0) - state.blkIndent
        if (text !== '' && indent < 0) break
        closed = indent < 4 && /^!{3,}[ \t]*$/.test(text)
        if (closed) break
      }
      const { parentType, lineMax } = state
      state.parentType = 'root'
      state.lineMax = last
      state.push('admonition_open', 'div', 1).attrs = [['class', `admonition-${type}`]]
      state.push('admonition_title_open', 'p', 1)
      const inline = state.push('inline', '', 0)
      Object.assign(inline, { content: title || type, children: [], map: [start, start] })
      state.push('admonition_title_close', 'p', -1)
      state.md.block.tokenize(state, start + 1, last)
      state.push('admonition_close', 'div', -1)
      state.parentType = parentType
      state.lineMax = lineMax
      state.line = last + (closed ? 1 : 0)
      return true
    },
    { alt },
  )
}

function headings(editor: MarkdownIt): void {
  editor.renderer.rules.heading_open = (tokens, index, options, _env, renderer) => {
    const text = tokens[index + 1]?.children?.map(({ content }) => content).join('') ?? ''
    tokens[index]?.attrSet('id', text)
    return renderer.renderToken(tokens, index, options)
  }
}

/** The label of code in a tab: what `[id:title]` says, or the language, as it is. */
function tab(editor: MarkdownIt, info: string): string {
  const text = editor.utils.unescapeAll(info).trim()
  const [, , title] = /\[(\w*)(?::([\w ]*))?\]/.exec(text) ?? [undefined, undefined, undefined]
  if (!/\[\w*(?::[\w ]*)?\]/.test(text)) return ''
  return `<label class="tab">${title ?? text.split(/\s+/)[0] ?? ''}</label>`
}

function lineAt({ src, bMarks, tShift, eMarks }: StateBlock, line: number): string {
  return src.slice((bMarks[line] ?? 0) + (tShift[line] ?? 0), eMarks[line])
}
