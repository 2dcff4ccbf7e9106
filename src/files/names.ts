import { isStorable } from '../wire/fields.ts'

/** Longest name that the file systems in use allow, in bytes. */
const LONGEST_NAME = 255
/** What a picture is called whose uploader gave it no name. */
const NAMELESS = 'picture'

// The client builds addresses without encoding; the separators of text are unseen in them.
const NOT_IN_ADDRESSES = /[\p{Cc}\p{Zl}\p{Zp}#?%\\/"'`<>\u202a-\u202e\u2066-\u2069]/gu
const NOT_IN_FILE_NAMES = /[\p{Cc}/\\]/u
const SUFFIX = /\.[A-Za-z0-9]{1,10}$/

/** In the name of a temporary file: a chunk that has not said yet whose it is. */
export const UNNAMED = 'unnamed'

let lastStamp = 0

/** The time in milliseconds, but never the same twice in this process. */
export function freshStamp(): number {
  lastStamp = Math.max(Date.now(), lastStamp + 1)
  return lastStamp
}

/**
 * `<ms timestamp>-<original name>` without what cannot stand in an address, cut to what a file
 * system can store, its suffix kept (behaviour.md 7).
 */
export function stampedName(stamp: number, original: string): string {
  const name = original.replace(NOT_IN_ADDRESSES, '_').trim()
  const suffix = SUFFIX.exec(name)?.[0] ?? ''
  const prefix = `${stamp}-`
  const room = LONGEST_NAME - prefix.length - suffix.length
  return prefix + cutBytes(name.slice(0, name.length - suffix.length), room) + suffix
}

/** What the answer calls a picture: the original name, or one made up where there was none. */
export function shownName(original: string, mediaType: string): string {
  return original === '' ? `${NAMELESS}.${mediaType.replace(/^image\/(x-)?/, '')}` : original
}

/** Whether a text can be the name of a file: no folders, no control characters. */
export function isFileName(text: string): boolean {
  return text !== '' && text.length <= 1024 && isStorable(text) && !NOT_IN_FILE_NAMES.test(text)
}

/** `<fileHash>.<suffix of the file's name>`, without a suffix where it has none. */
export function joinedName(fileHash: string, fileName: string): string {
  return fileHash + (SUFFIX.exec(fileName)?.[0] ?? '')
}

/** `fileHash` is a key of 32 hex digits; it is never trusted to say more. */
export function isFileHash(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{32}$/.test(text)
}

/** The index in a `chunkHash` (`<fileHash>-<index>`); undefined for anything else. */
export function chunkIndex(chunkHash: string, fileHash: string): number | undefined {
  const [, key, index] = /^([0-9a-f]{32})-(0|[1-9]\d{0,5})$/.exec(chunkHash) ?? []
  return key === fileHash ? Number(index) : undefined
}

/** The longest beginning of a text that has at most so many bytes, without a torn character. */
function cutBytes(text: string, most: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  let end = most
  // 10xxxxxx continues a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}
