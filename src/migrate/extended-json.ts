import { createHash } from 'node:crypto'
import { BSON, Double, EJSON, Int32, ObjectId } from 'bson'

/** What JSON.parse gives. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A document of the original in canonical Extended JSON: `{"_id": {"$oid": "..."}, ...}`. */
export interface Document {
  [key: string]: Json
}

const LONGEST_DIGEST = 16
const LEAST_INT = -(2 ** 31)
const MOST_INT = 2 ** 31 - 1

/**
 * Decodes a BSON document.
 *
 * @throws Error when it is none, or holds what canonical Extended JSON cannot say
 */
export function fromBson(bytes: Uint8Array): Document {
  if (hasKeyTwice(bytes, 0)) throw new Error('a key twice')
  const options = { promoteValues: false, promoteLongs: false, promoteBuffers: false }
  const document = canonical(BSON.deserialize(bytes, options))
  if (!isDocument(document)) throw new Error('no document')
  return document
}

/**
 * Decodes Extended JSON, canonical, relaxed or of the first version.
 *
 * @throws Error when it is none
 */
export function fromJson(text: string): Document {
  const parsed = JSON.parse(text) as Json
  // Of two values under one key JSON.parse keeps the last.
  if (keysIn(parsed) !== keysWritten(text)) throw new Error('a key twice')
  const document = normal(parsed)
  if (!isDocument(document)) throw new Error('no document')
  return document
}

export function isDocument(value: Json | undefined): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Canonical Extended JSON; equal documents have equal texts. */
export function textOf(value: Json): string {
  return JSON.stringify(value)
}

/**
 * The same text for documents that differ only in the types of their numbers: mongodump keeps
 * what mongoexport does not say.
 */
export function comparableText(value: Json): string {
  return textOf(value).replaceAll(
    /(?<!"\$date":)\{"\$number(?:Long|Double)":"([^"]*)"\}/g,
    (written, digits: string) => {
      const number = Number(digits)
      return Number.isSafeInteger(number) ? textOf(whole(number)) : written
    },
  )
}

/** A value as plain JSON shows it: numbers as such, moments in ISO 8601, ids as texts. */
export function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain)
  if (!isDocument(value)) return value
  const [first, ...others] = Object.entries(value)
  if (first === undefined || others.length > 0 || !first[0].startsWith('$')) {
    return mapValues(value, plain)
  }
  const [key, content] = first
  if (key === '$oid' && typeof content === 'string') return content
  if (key === '$date' && isDocument(content))
    return isoTime(Number(content['$numberLong'])) ?? value
  if (!key.startsWith('$number') || typeof content !== 'string') return value
  // What JSON cannot say exactly stays a text.
  const number = Number(content)
  const isExact = Number.isSafeInteger(number) || !Number.isInteger(number)
  return Number.isFinite(number) && isExact ? number : content
}

function isoTime(milliseconds: number): string | undefined {
  const time = new Date(milliseconds)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}

/** A short digest of a text, to see whether it changed. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, LONGEST_DIGEST)
}

/** A whole number as MongoDB keeps it when JavaScript wrote it. */
export function whole(number: number): Document {
  if (number >= LEAST_INT && number <= MOST_INT) return { $numberInt: String(number) }
  return double(number)
}

export function objectId(id: string): Document {
  return { $oid: id }
}

export function date(time: Date): Document {
  return { $date: { $numberLong: String(time.getTime()) } }
}

function double(number: number): Document {
  if (Object.is(number, -0)) return { $numberDouble: '-0.0' }
  const integer = Number.isInteger(number) && Math.abs(number) < 1e21
  return { $numberDouble: integer ? number.toFixed(1) : String(number) }
}

/** What BSON.deserialize gives, in canonical Extended JSON; the frequent types without EJSON. */
function canonical(value: unknown): Json {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (Array.isArray(value)) return value.map(canonical)
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new Error('a date that JavaScript cannot hold')
    return date(value)
  }
  if (value instanceof ObjectId) return objectId(value.toHexString())
  if (value instanceof Int32) return { $numberInt: String(value.value) }
  if (value instanceof Double) return double(value.value)
  if (!isPlain(value)) {
    return EJSON.serialize(value, { relaxed: false })
  }
  return mapValues(value, canonical)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !('_bsontype' in value) &&
    !(value instanceof RegExp)
  )
}

/** Whether a BSON document, or one within it, has a key twice: of two values the last would be kept. */
function hasKeyTwice(bytes: Uint8Array, start: number, isArray = false): boolean {
  const keys = new Set<string>()
  for (const [type, at, length, offset] of BSON.onDemand.parseToElements(bytes, start)) {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1')
    if (!isArray && keys.has(key)) return true
    keys.add(key)
    const isList = type === BSON.BSONType.array
    if ((isList || type === BSON.BSONType.object) && hasKeyTwice(bytes, offset, isList)) return true
  }
  return false
}

function keysIn(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  const values = Object.values(value)
  const own = Array.isArray(value) ? 0 : values.length
  return values.reduce((sum: number, one) => sum + keysIn(one), own)
}

/** A text that is followed by a colon is a key. */
function keysWritten(text: string): number {
  let count = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?/g)) {
    if (token.endsWith(':')) count += 1
  }
  return count
}

/** Any Extended JSON in its canonical form. */
function normal(value: Json): Json {
  if (typeof value === 'number') return number(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(normal)
  const [key, ...others] = Object.keys(value)
  if (key?.startsWith('$') === true || others.some((other) => other.startsWith('$'))) {
    return others.length === 0 && key === '$oid' ? value : special(value)
  }
  return mapValues(value, normal)
}

function special(value: Document): Json {
  if (Object.keys(value).length === 1) {
    const { $numberInt: int, $numberLong: long, $numberDouble: float, $date: time } = value
    if (typeof int === 'string' || typeof long === 'string') return value
    if (typeof float === 'string') return double(Number(float))
    if (typeof time === 'number') return { $date: { $numberLong: String(time) } }
  }
  return canonical(EJSON.parse(textOf(value), { relaxed: false }))
}

function number(value: number): Document {
  if (!Number.isInteger(value) || Object.is(value, -0) || !Number.isSafeInteger(value)) {
    return double(value)
  }
  return value < LEAST_INT || value > MOST_INT ? { $numberLong: String(value) } : whole(value)
}

function mapValues<Value>(object: Record<string, Value>, map: (value: Value) => Json): Document {
  // Object.fromEntries makes an own key even of __proto__.
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
}
