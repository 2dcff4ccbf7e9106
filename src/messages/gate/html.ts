/** A `<` that begins a tag, a comment or a declaration by the HTML standard; all others are text. */
const MARKUP = /<(?=[a-z/!?])/gi

/** What the name of a stored file may not hold (behaviour.md 7), as part of a pattern. */
const NOT_IN_NAMES = '\\p{Cc}\\p{Zl}\\p{Zp}#?%\\\\/"\'`<>'
/** A stored name in HTML, where `&sol;` would be a slash. */
const STORED_NAME = `(?!\\s)(?:[^&${NOT_IN_NAMES}]|&amp;){1,255}`

/** An attribute as innerHTML writes it, or with the other quotes. No value holds a quote or `<`. */
function attribute(name: string, value: string): string {
  return ` ${name}=(?:"${value}"|'${value}')`
}

const emoji = [
  attribute('src', `(?:\\./gif/\\d{1,4}\\.gif|/${STORED_NAME})`),
  attribute('(?:width|height)', '\\d{1,3}(?:px)?'),
  attribute('(?:alt|title)', '[^"\'<>&]{0,64}'),
  attribute('draggable', 'false'),
  // What the client's Vue marks the elements of a component with.
  attribute('data-v-[\\da-f]{8}', ''),
  // A name of the client's own style sheet could lay the picture over the whole window.
  attribute('class', '(?:emoji|gif)[\\w-]{0,24}'),
]
const link = [
  attribute('href', 'https?://[^\\s\\p{Cc}"\'`\\\\<>]{1,2048}'),
  attribute('target', '_blank'),
  // Of what `rel` can say, `opener` would do harm.
  attribute('rel', '(?:(?:noopener|noreferrer|nofollow) ?){1,3}'),
]

/**
 * The whole tags that the client can produce: lines and marks of its editable field, both forms of
 * its emoji, its links. None of them changes how the parser reads what follows.
 */
const TAG = new RegExp(
  `<(?:${[
    '/?(?:b|i|u|em|strong|p|div|span|code|pre)',
    'br ?/?',
    `img(?:${emoji.join('|')})+ ?/?`,
    `a(?:${link.join('|')})+`,
    '/a',
  ].join('|')})>`,
  'uy',
)

const STORED_URL = new RegExp(`^/[^${NOT_IN_NAMES}]{1,255}$`, 'u')

/** Makes HTML harmless: what the client cannot have produced shows as text. Nothing is lost. */
export function gateHtml(text: string): string {
  // Nearly all messages: looking for one character is twenty times as fast.
  if (!text.includes('<')) return text
  return text.replace(MARKUP, (_, at: number) => {
    TAG.lastIndex = at
    return TAG.test(text) ? '<' : '&lt;'
  })
}

/** Makes all markup in a text show as text, wherever the text is put. */
export function escapeMarkup(text: string): string {
  return text.replace(MARKUP, '&lt;')
}

/** Whether markup begins anywhere in a text. */
export function hasMarkup(text: string): boolean {
  return text.search(MARKUP) !== -1
}

/** Whether an address is one that this server gives a stored file: `/` and one name. */
export function isStoredUrl(url: string): boolean {
  return STORED_URL.test(url)
}
