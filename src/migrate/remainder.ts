import { type Document, type Json, textOf } from './extended-json.ts'

/**
 * What a row does not give back of a document. A value is only restored where the row still gives
 * what it gave when this was written: what was changed here since then stands.
 */
export interface Remainder {
  /** The document's keys, where they are not those of the row in the same order. */
  readonly keys?: readonly string[]
  /** Values of the document. */
  readonly values?: Document
  /** What the row gives instead of them, or for keys that the document does not have. */
  readonly instead?: Document
  /** Of users: their first hash here, to see whether the original's password changed. */
  readonly password?: string
}

/** How a document differs from what its row gives; undefined when it does not. */
export function remainderOf(document: Document, given: Document): Remainder | undefined {
  if (textOf(document) === textOf(given)) return undefined
  const keys = Object.keys(document)
  const values: [string, Json][] = []
  const instead: [string, Json][] = []
  for (const key of keys) {
    const value = document[key] as Json
    const other = valueAt(given, key)
    if (other !== undefined && textOf(value) === textOf(other)) continue
    values.push([key, value])
    if (other !== undefined) instead.push([key, other])
  }
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(document, key)) instead.push([key, value])
  }
  return {
    ...(textOf(keys) === textOf(Object.keys(given)) ? {} : { keys }),
    ...(values.length === 0 ? {} : { values: Object.fromEntries(values) }),
    ...(instead.length === 0 ? {} : { instead: Object.fromEntries(instead) }),
  }
}

/** The document again, from what its row gives now. */
export function restore(given: Document, remainder: Remainder | null | undefined): Document {
  if (remainder == null) return given
  const { keys = Object.keys(given), values = {}, instead = {} } = remainder
  const unchanged = (key: string) => {
    const [now, then] = [valueAt(given, key), valueAt(instead, key)]
    return now === undefined || (then !== undefined && textOf(now) === textOf(then))
  }
  const entries: [string, Json][] = []
  for (const key of keys) {
    const value = valueAt(values, key)
    if (value !== undefined && unchanged(key)) entries.push([key, value])
    else if (Object.hasOwn(given, key)) entries.push([key, given[key] as Json])
  }
  for (const [key, value] of Object.entries(given)) {
    if (!keys.includes(key) && !unchanged(key)) entries.push([key, value])
  }
  return Object.fromEntries(entries)
}

function valueAt(document: Document, key: string): Json | undefined {
  return Object.hasOwn(document, key) ? document[key] : undefined
}
