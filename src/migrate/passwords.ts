import { createHash } from 'node:crypto'
import { NO_PASSWORD, passwordForm, type Passwords } from '../accounts/passwords.ts'
import { type Document, isDocument, type Json } from './extended-json.ts'

/** Stands in a document where the password was; digests and remainders never hold it. */
export const MASK = '(kept as a hash)'

/** Stands there where it was no text and no number, so that nobody can log in with it. */
export const UNUSABLE = '(unusable)'
/** What passwords are called, besides the name that a mapping gives them. */
const NAMES = '(?:old|new)?_?pass(?:word|wd)?|pwd'

/**
 * A document without its password, and the password; whatever else is called like one, at any
 * depth, is masked.
 *
 * @param key what the dump calls the password of a user
 */
export function withoutPassword(
  document: Document,
  key: string,
): [Document, password: string | undefined] {
  const { password, ...others } = document
  const name = new RegExp(`^(?:${namesWith(key)})$`, 'i')
  const masked = maskDeep(others, name)
  if (password === undefined) return [masked, undefined]
  const text = textOfPassword(password)
  const mask = text === undefined && password !== null && password !== '' ? UNUSABLE : MASK
  // The keys stay in their order.
  return [{ ...document, ...masked, password: mask }, text]
}

function maskDeep(document: Document, name: RegExp): Document {
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [
      key,
      name.test(key) && value !== null && typeof value !== 'boolean' ? MASK : maskIn(value, name),
    ]),
  )
}

function maskIn(value: Json, name: RegExp): Json {
  if (Array.isArray(value)) return value.map((item) => maskIn(item, name))
  return isDocument(value) ? maskDeep(value, name) : value
}

function namesWith(key: string): string {
  return `${NAMES}|${key.replaceAll(/\W/g, '\\$&')}`
}

/** The document with what is kept of its password, as it may be stored and shown to a DBA. */
export async function withHash(
  document: Document,
  password: string | undefined,
  passwords: Passwords,
): Promise<Document> {
  if (!Object.hasOwn(document, 'password')) return document
  return { ...document, password: await adopted(password, passwords) }
}

export function adopted(password: string | undefined, passwords: Passwords): Promise<string> {
  return password === undefined ? Promise.resolve(NO_PASSWORD) : passwords.adopt(password)
}

/**
 * What is remembered of the original's password, to see later whether it changed there: a login
 * here may have replaced the hash meanwhile.
 */
export function remembered(password: string | undefined, hash: string): string {
  if (password === undefined) return NO_PASSWORD
  const form = passwordForm(password)
  return form === 'plain' || form === 'md5' ? hash : fingerprint(password)
}

/** Whether a password of the original is the one that was remembered. */
export async function isRemembered(
  password: string | undefined,
  memory: string | undefined,
  passwords: Passwords,
): Promise<boolean> {
  if (memory === undefined) return false
  if (password === undefined || memory === NO_PASSWORD) {
    return password === undefined && memory === NO_PASSWORD
  }
  const form = passwordForm(password)
  if (form === 'plain') return memory.startsWith('$') && passwords.verify(memory, password)
  if (form === 'md5') {
    return memory.startsWith('md5:') && passwords.verify(memory.slice(4), password.toLowerCase())
  }
  return memory === fingerprint(password)
}

function fingerprint(hash: string): string {
  return `sha256:${createHash('sha256').update(hash).digest('hex')}`
}

function textOfPassword(value: Json): string | undefined {
  if (typeof value === 'string') return value === '' || value === UNUSABLE ? undefined : value
  if (!isDocument(value)) return undefined
  const { $numberDouble: double } = value
  if (double !== undefined) return String(Number(double))
  const number = value['$numberInt'] ?? value['$numberLong'] ?? value['$numberDecimal']
  return typeof number === 'string' ? number : undefined
}

/**
 * Blots out what may be a password in what is no document: a line, or the bytes of BSON.
 *
 * @param key what the dump calls the password of a user
 */
export function blotted(broken: string | Buffer, key: string): string | Buffer {
  if (typeof broken === 'string') return blotText(broken, key)
  const text = blotText(blotBytes(broken, key).toString('latin1'), key)
  return Buffer.from(text, 'latin1')
}

function blotText(text: string, key: string): string {
  const value = '"(?:[^"\\\\]|\\\\.)*"?|\\[[^\\]]*\\]?|\\{[^}]*\\}?|[^,}\\s]*'
  const field = new RegExp(`("?(?:${namesWith(key)})"?\\s*[:=]\\s*)(?:${value})`, 'gi')
  return text.replaceAll(field, `$1"${MASK}"`)
}

/** Bytes of the values of BSON types that always have as many: double, int32, int64, decimal. */
const FIXED = new Map([
  [0x01, 8],
  [0x10, 4],
  [0x12, 8],
  [0x13, 16],
])
/** Types that begin with their length: string, document, array. */
const MEASURED = new Set([0x02, 0x03, 0x04])

/** In BSON a value stands behind its type, its name and a zero. */
function blotBytes(bytes: Buffer, key: string): Buffer {
  const copy = Buffer.from(bytes)
  const field = new RegExp(`([\\x01-\\x13])(?:${namesWith(key)})\\0`, 'gi')
  for (const {
    0: { length },
    1: type = '',
    index,
  } of bytes.toString('latin1').matchAll(field)) {
    const [kind, at] = [type.charCodeAt(0), index + length]
    const start = MEASURED.has(kind) ? at + 4 : at
    if (start > copy.length) break
    // A document counts its own length, a string its closing zero.
    const said = MEASURED.has(kind) ? copy.readInt32LE(at) - (kind === 0x02 ? 1 : 5) : 0
    const end = start + Math.max(0, FIXED.get(kind) ?? said)
    copy.fill('*', start, Math.min(copy.length, end))
  }
  return copy
}
