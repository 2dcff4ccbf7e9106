export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** Whether a value is a JSON object, neither an array nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path of keys and indexes; undefined where the path leaves the document. */
export function at(value: Json | undefined, ...path: (string | number)[]): Json | undefined {
  let found = value
  for (const key of path) {
    if (Array.isArray(found)) found = typeof key === 'number' ? found.at(key) : undefined
    else found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
  }
  return found
}

/** The string at a path; throws where there is none, so that a test fails where it looks. */
export function stringAt(value: Json | undefined, ...path: (string | number)[]): string {
  const found = at(value, ...path)
  if (typeof found === 'string') return found
  throw new Error(`no string at ${path.join('.')} of ${JSON.stringify(value)}`)
}

/** A copy of a document with one value set; a key that was not there becomes the last one. */
export function withValue(value: Json, path: readonly (string | number)[], set: Json): Json {
  const [key, ...rest] = path
  if (key === undefined) return set
  const inner = withValue(at(value, key) ?? null, rest, set)
  if (!Array.isArray(value)) return { ...(isObject(value) ? value : {}), [key]: inner }
  const copy = [...value]
  copy[Number(key)] = inner
  return copy
}

/** Keys that a JSON text gives twice in one object, which JSON.parse hides. */
export function repeatedKeys(text: string): string[] {
  const repeated: string[] = []
  const open: Set<string>[] = []
  for (const [token, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string
      if (open.at(-1)?.has(key)) repeated.push(key)
      open.at(-1)?.add(key)
    }
  }
  return repeated
}
