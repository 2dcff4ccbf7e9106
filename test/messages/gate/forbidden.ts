import createParser from 'markdown-it'
import createOldParser from 'markdown-it-13'
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5'
import { createEditor } from './md-editor.ts'

type Node = DefaultTreeAdapterTypes.Node

/** Old and new ones, and both without what only the editor knows. */
const readers = [createOldParser, createParser].flatMap((create) => [
  createEditor(create),
  create({ html: true, breaks: true }),
])

interface Allowed {
  readonly elements: ReadonlySet<string>
  /** Attributes that an element may have, and what their values must look like. */
  readonly attributes: Readonly<Record<string, Readonly<Record<string, RegExp>>>>
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const picture = /^(\.\/gif\/\d+\.gif|\/[^/\\?#%\s\p{Cc}][^/\\?#%\p{Cc}]*)$/u
const web = /^https?:\/\/[^/]/

/** What the client's own messages hold. */
const inMessages: Allowed = {
  elements: words('a b br code div em i img p pre span strong u'),
  attributes: {
    a: { href: web, target: /^_blank$/, rel: /^(noopener|noreferrer|nofollow| )+$/ },
    img: {
      src: picture,
      width: /^\d{1,3}(px)?$/,
      height: /^\d{1,3}(px)?$/,
      alt: /^[^<>]*$/,
      class: /^(emoji|gif)[\w-]*$/,
      title: /^[^<>]*$/,
      draggable: /^false$/,
      'data-v-1a2b3c4d': /^$/,
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
    img: { src: address, alt: any, title: any, class: /^md-zoom$/ },
    code: { class: /^language-[\w+#.:[\]-]*$/, language: /^[\w+#.:[\]-]*$/ },
    ol: { start: /^\d+$/, class: /^contains-task-list$/ },
    ul: { class: /^contains-task-list$/ },
    li: { class: /^task-list-item$/ },
    input: {
      class: /^task-list-item-checkbox$/,
      type: /^checkbox$/,
      disabled: /^$/,
      checked: /^$/,
    },
    span: { class: /^katex$/ },
    p: { class: /^katex$/ },
    ...Object.fromEntries(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((tag) => [tag, { id: any }])),
    td: { style: /^text-align:(left|center|right)$/ },
    th: { style: /^text-align:(left|center|right)$/ },
    div: { class: /^(mermaid|admonition-.*)$/s },
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
