import { isStorable } from '../../wire/fields.ts'
import { escapeMarkup, isStoredUrl } from './html.ts'

/** Fields that a picture, video or file may have; the client sends three or four. */
const MOST_FIELDS = 16
const LONGEST_TEXT = 1_024

const FIELD = /^[a-z]\w{0,31}$/i
/** These are shown, never fetched: a name may look like an address. */
const SHOWN = new Set(['fileName', 'name', 'fileSuffixName'])
/** Begins like an address, or like a path to another machine. */
const ADDRESS = /^\s*(?:[a-z][a-z\d+.-]*:|[/\\]{2})/i
const COVER = /^data:image\/(?:png|jpe?g|webp);base64,([a-z\d+/]+={0,2})$/i
/** What `toDataURL` gives for a canvas without a size. */
const NO_COVER = 'data:,'

type Fields = Record<string, unknown>

/**
 * The JSON text of a picture, video or file message: as it came when it is clean, written anew
 * where only its texts had to be made harmless, undefined when it is refused. Not all names that
 * the client gives its fields are documented, so each is judged by its value.
 */
export function gateAttachment(body: string): string | undefined {
  const fields = parseObject(body)
  if (fields === undefined || typeof fields.url !== 'string' || !isStoredUrl(fields.url)) return
  const entries = Object.entries(fields)
  if (entries.length > MOST_FIELDS || !entries.every(isHarmless)) return
  const gated = entries.map(([name, value]) => [
    name,
    typeof value === 'string' ? escapeMarkup(value) : value,
  ])
  const clean = entries.every(([, value], index) => value === gated[index]?.[1])
  return clean ? body : JSON.stringify(Object.fromEntries(gated))
}

/**
 * A call note: plain text, or JSON; what only looks like JSON is refused, because a reader that
 * parses it would fail. Markup in it shows as text.
 */
export function gateCallNote(body: string): string | undefined {
  // Not refused for a bracket alone: `[语音通话] 12:01` is a text.
  if (body.trim() === 'null') return undefined
  if (/^\s*(?:\{\s*["}]|\[\s*[[{"\]])/.test(body) && parseObject(body) === undefined)
    return undefined
  return escapeMarkup(body)
}

/** Signs of more fields, and of anything in a field, than there may be; texts hold some too. */
const MOST_SIGNS = 2_000

function parseObject(text: string): Fields | undefined {
  // Parsing a hundred thousand brackets or fields would hold everybody up.
  if ((text.match(/[{}[\],]/g)?.length ?? 0) > MOST_SIGNS) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

function isHarmless([name, value]: [string, unknown]): boolean {
  if (!FIELD.test(name) || name === 'constructor') return false
  if (typeof value === 'string') return isHarmlessText(name, value)
  // JSON has no infinite number, but 1e999 is one.
  return typeof value === 'number' ? Number.isFinite(value) : isFlag(value)
}

function isFlag(value: unknown): boolean {
  return value === null || typeof value === 'boolean'
}

function isHarmlessText(name: string, text: string): boolean {
  if (text.startsWith('data:')) return text === NO_COVER || isCover(text)
  if (text.length > LONGEST_TEXT || !isStorable(text)) return false
  return SHOWN.has(name) || !ADDRESS.test(text)
}

/** Whether a data URL is what it says: a png, jpeg or webp picture. */
function isCover(url: string): boolean {
  const base64 = COVER.exec(url)?.[1]
  return base64 !== undefined && isPicture(Buffer.from(base64, 'base64'))
}

function isPicture(bytes: Buffer): boolean {
  const starts = (hex: string, at = 0) =>
    bytes.subarray(at, at + hex.length / 2).toString('hex') === hex
  const isPng = starts('89504e470d0a1a0a') && bytes.subarray(12, 16).toString('latin1') === 'IHDR'
  const isWebp = starts('52494646') && bytes.subarray(8, 12).toString('latin1') === 'WEBP'
  return isPng || isWebp || starts('ffd8ff')
}
