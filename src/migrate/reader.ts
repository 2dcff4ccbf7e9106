import type { WireTimes } from '../wire/times.ts'
import { codePoints, isStorable } from '../wire/fields.ts'
import { type Document, isDocument, type Json, plain, textOf } from './extended-json.ts'
import { type Mending, Rejection } from './rules.ts'
import { readTime, timeOfId } from './times.ts'

/**
 * Reads the fields of one document in whatever form they come, and notes by which rules they had
 * to be mended.
 */
export class Reader {
  readonly document: Document
  readonly id: string
  readonly times: WireTimes
  readonly mended = new Set<Mending>()
  readonly #details: Document | undefined

  /** @throws Rejection when the `_id` is none that a row can have */
  constructor(
    { document, details }: { document: Document; details?: Document | undefined },
    times: WireTimes,
  ) {
    this.document = document
    this.times = times
    this.#details = details
    const id = this.#idFrom(document['_id'])
    if (id === undefined) throw new Rejection('id-unusable', textOf(document['_id'] ?? null))
    this.id = id
  }

  value(key: string): Json | undefined {
    return Object.hasOwn(this.document, key) ? this.document[key] : undefined
  }

  has(key: string): boolean {
    return this.value(key) != null
  }

  /** The id of another document. @throws Rejection when there is none */
  reference(key: string): string {
    const id = this.optionalReference(key)
    if (id !== undefined) return id
    throw new Rejection('reference-unusable', `${key}: ${textOf(this.value(key) ?? null)}`)
  }

  optionalReference(key: string): string | undefined {
    return this.#idFrom(this.value(key))
  }

  /** A text that PostgreSQL can store; undefined when there is none. */
  text(key: string): string | undefined {
    const value = this.value(key)
    if (value == null) return undefined
    if (typeof value === 'string') return this.storable(value)
    this.mended.add('text-from-value')
    return this.storable(this.#plain(value))
  }

  /** A text of 1 to `most` characters: a longer one is cut, an empty one becomes `given`. */
  name(key: string, most: number, given: string, rules: { cut: Mending; given: Mending }): string {
    const text = this.text(key) ?? ''
    if (text === '') {
      this.mended.add(rules.given)
      return given
    }
    return this.cut(text, most, rules.cut)
  }

  cut(text: string, most: number, rule: Mending): string {
    if (codePoints(text) <= most) return text
    this.mended.add(rule)
    return Array.from(text).slice(0, most).join('')
  }

  /** The address of a picture; `given` where there is none. */
  picture(key: string, given: string): string {
    const value = this.value(key)
    if (typeof value === 'string' && value !== '' && isStorable(value)) return value
    this.mended.add('picture-given')
    return given
  }

  /** A whole number, written as one or as text; undefined when there is none. */
  number(key: string): number | undefined {
    const value = this.value(key)
    const number = numberOf(value)
    if (number === undefined || !Number.isSafeInteger(number)) return undefined
    if (!isDocument(value)) this.mended.add('number-from-text')
    return number
  }

  /** A moment; the one at which the id was made where the document has none. */
  time(key: string): Date {
    const time = readTime(this.value(key), this.id, this.times)
    if (time !== undefined) return time
    this.mended.add('time-from-id')
    return timeOfId(this.id)
  }

  /** A moment that the export says beyond the document. */
  detailedTime(key: string): Date | undefined {
    return readTime(this.#details?.[key], this.id, this.times)
  }

  detailedNumber(key: string): number | undefined {
    return numberOf(this.#details?.[key])
  }

  /** A text without what PostgreSQL cannot store. */
  storable(text: string): string {
    if (isStorable(text)) return text
    this.mended.add('text-cleaned')
    return text.replaceAll('\0', '').toWellFormed()
  }

  #idFrom(value: Json | undefined): string | undefined {
    const text = isDocument(value) ? value['$oid'] : value
    if (typeof text !== 'string' || !/^[0-9a-f]{24}$/i.test(text)) return undefined
    const id = text.toLowerCase()
    if (id !== text) this.mended.add('id-lower-cased')
    return id
  }

  /** A value as a reader would write it. */
  #plain(value: Json): string {
    const number = numberOf(value)
    if (number !== undefined) return String(number)
    const shown = plain(value)
    return typeof shown === 'string' ? shown : textOf(shown)
  }
}

function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'string') {
    return /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined
  }
  if (!isDocument(value)) return undefined
  const text = value['$numberInt'] ?? value['$numberLong'] ?? value['$numberDouble']
  const number = Number(text ?? value['$numberDecimal'])
  return Number.isNaN(number) ? undefined : number
}
