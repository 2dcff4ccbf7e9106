import { createHash } from 'node:crypto'
import { NO_PASSWORD, passwordForm, type Passwords } from '../accounts/passwords.ts'
import type { Document, Json } from './extended-json.ts'

/** Stands in a document where the password was; digests and remainders never hold it. */
export const MASK = '(kept as a hash)'

/** A document without its password, and the password. */
export function withoutPassword(document: Document): [Document, string | undefined] {
  const { password } = document
  if (password === undefined) return [document, undefined]
  return [{ ...document, password: MASK }, textOfPassword(password)]
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
  if (typeof value === 'string') return value === '' ? undefined : value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const number = value['$numberInt'] ?? value['$numberLong'] ?? value['$numberDouble']
  return number === undefined ? undefined : String(Number(number))
}

/** Blots out what may be a password in what is no document: a line, or the bytes of BSON. */
export function blotted(broken: string | Buffer, key: string): string | Buffer {
  if (typeof broken === 'string') return blotText(broken, key)
  const text = blotText(blotBytes(broken, key).toString('latin1'), key)
  return Buffer.from(text, 'latin1')
}

function blotText(text: string, key: string): string {
  const name = key.replaceAll(/\W/g, '\\$&')
  const value = '"(?:[^"\\\\]|\\\\.)*"?|[^,}\\s]*'
  return text.replaceAll(new RegExp(`("?${name}"?\\s*[:=]\\s*)(?:${value})`, 'gi'), `$1"${MASK}"`)
}

/** In BSON a string's name is followed by its length with a closing zero, then by itself. */
function blotBytes(bytes: Buffer, key: string): Buffer {
  const copy = Buffer.from(bytes)
  const name = Buffer.from(`${key}\0`)
  for (let at = copy.indexOf(name); at !== -1; at = copy.indexOf(name, at + 1)) {
    const start = at + name.length + 4
    if (start > copy.length) break
    const length = Math.max(0, copy.readInt32LE(start - 4) - 1)
    copy.fill('*', start, Math.min(copy.length, start + length))
  }
  return copy
}
