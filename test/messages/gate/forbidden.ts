import type { MarkdownIt } from 'markdown-it'
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5'
import { readersOf } from '../../../src/messages/gate/markdown-readers.ts'

type Node = DefaultTreeAdapterTypes.Node

const readers = readersOf('$')
readers.forEach(showAsEditor)

interface Allowed {
  readonly elements: ReadonlySet<string>
  /** Attributes that an element may have, and what their values must look like. */
  readonly attributes: Readonly<Record<string, Readonly<Record<string, RegExp>>>>
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const picture = /^(\.\/gif\/\d+\.gif|\/[^/\\][^/\\]*)$/
const web = /^https?:\/\/[^/]/

/** What the client's own messages hold. */
const inMessages: Allowed = {
  elements: words('a b br code div em i img p pre span strong u'),
  attributes: {
    a: { href: web, target: /^_blank$/, rel: /^[a-z ]+$/ },
    img: {
      src: picture,
      width: /^\d{1,3}(px)?$/,
      height: /^\d{1,3}(px)?$/,
      alt: /^[^<>]*$/,
      class: /^(emoji|gif)[\w-]*$/,
    },
  },
}

const any = /^[^]*$/
const address = /^(https?:\/\/[^/]|mailto:|\/[^/\\][^/\\]*$)/i
/** What Markdown itself is shown with, and the editor's `<u> <sub> <sup>`. */
const inMarkdown: Allowed = {
  elements: words(
    'a blockquote br code em figcaption figure h1 h2 h3 h4 h5 h6 hr img input label li ol p pre s ' +
      'span strong sub sup table tbody td th thead tr u ul div',
  ),
  attributes: {
    a: { href: address, title: any },
    img: { src: address, alt: any, title: any },
    code: { class: /^language-[\w+#.:[\]-]*$/, language: /^[\w+#.:[\]-]*$/ },
    ol: { start: /^\d+$/ },
    td: { style: /^text-align:(left|center|right)$/ },
    th: { style: /^text-align:(left|center|right)$/ },
    div: { class: /^mermaid$/ },
    label: { class: /^tab$/ },
  },
}

/** What HTML holds, read as a browser reads it, that no message may hold. */
export function forbiddenInHtml(html: string): string[] {
  return forbidden(parseFragment(html), inMessages)
}

/** The same of Markdown, in each way in which readers may show it. */
export function forbiddenInMarkdown(text: string): string[] {
  return readers.flatMap((reader) => forbidden(parseFragment(reader.render(text)), inMarkdown))
}

function forbidden(node: Node, allowed: Allowed): string[] {
  const found: string[] = []
  if (node.nodeName === '#comment' || node.nodeName === '#documentType') found.push(node.nodeName)
  if ('tagName' in node) {
    const { tagName, attrs } = node
    if (!allowed.elements.has(tagName)) found.push(`<${tagName}>`)
    for (const { name, value } of attrs) {
      if (allowed.attributes[tagName]?.[name]?.test(value) !== true) {
        found.push(`<${tagName} ${name}="${value}">`)
      }
    }
  }
  // A template keeps its content beside its children.
  const inside = 'content' in node ? [node.content] : []
  const children = 'childNodes' in node ? node.childNodes : []
  return [...found, ...[...children, ...inside].flatMap((child) => forbidden(child, allowed))]
}

/** Shows code, diagrams and formulas as md-editor-v3 4.9 does: without escaping what it trusts. */
function showAsEditor(reader: MarkdownIt): void {
  const { rules } = reader.renderer
  const { escapeHtml, unescapeAll } = reader.utils
  rules.fence = (tokens, index) => {
    const { info, content } = tokens[index] ?? { info: '', content: '' }
    const [language = ''] = unescapeAll(info).trim().split(/\s+/)
    if (info.trim() === 'mermaid') return `<div class="mermaid">${content}</div>`
    const tab = info.includes('[') ? `<label class="tab">${language}</label>` : ''
    return `${tab}<pre><code class="language-${language}" language=${language}>${escapeHtml(content)}</code></pre>`
  }
  rules.math_inline = (tokens, index) => `<span>${tokens[index]?.content ?? ''}</span>`
  rules.math_block = (tokens, index) => `<p>${tokens[index]?.content ?? ''}</p>`
  rules.image = (tokens, index) => {
    const token = tokens[index]
    const attribute = (name: string) => escapeHtml(String(token?.attrGet(name) ?? ''))
    const caption = reader.renderInline(String(token?.attrGet('title') ?? ''))
    return `<img src="${attribute('src')}"><span>${caption}</span>`
  }
}
