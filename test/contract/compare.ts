import { isObject, type Json, type JsonObject } from './json.ts'
import { ruleFor } from './values.ts'

/** A partial exact value: keys that are not named are free, and `undefined` means absent. */
export type Expectation =
  | Json
  | undefined
  | RegExp
  | ((value: Json) => boolean)
  | readonly Expectation[]
  | { readonly [key: string]: Expectation }

// behaviour.md 5: the owner's row is the first one, and the only one without `time`.
const ownerFirst = new Set(['groupUser'])

const show = (value: Json | undefined): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}

const kind = (value: Json): 'array' | 'object' | 'value' =>
  Array.isArray(value) ? 'array' : isObject(value) ? 'object' : 'value'

function keyDifferences(actual: JsonObject, wanted: string[], path: string): string[] {
  const keys = Object.keys(actual)
  const missing = wanted.filter((key) => !keys.includes(key))
  const extra = keys.filter((key) => !wanted.includes(key))
  const shared = keys.filter((key) => wanted.includes(key))
  const order = wanted.filter((key) => keys.includes(key))
  return [
    ...missing.map((key) => `${path}.${key}: missing`),
    ...extra.map((key) => `${path}.${key}: not in the document, got ${show(actual[key])}`),
    ...(shared.join() === order.join()
      ? []
      : [`${path}: keys in the order ${shared.join(', ')}; wanted ${order.join(', ')}`]),
  ]
}

/** Where a value has not the shape of any of the examples; of several shapes, the nearest. */
export function shapeDifferences(
  actual: Json,
  examples: readonly Json[],
  path: string,
  key = '',
): string[] {
  const [first] = examples
  if (first === undefined) return [`${path}: nothing is documented here, got ${show(actual)}`]
  const wanted = kind(first)
  if (wanted === 'value') {
    const rule = ruleFor(key, examples)
    return rule.holds(actual) ? [] : [`${path}: wanted ${rule.wants}, got ${show(actual)}`]
  }
  if (wanted === 'array' && Array.isArray(actual))
    return arrayDifferences(actual, examples.filter(Array.isArray), path, key)
  if (wanted === 'object' && isObject(actual))
    return objectDifferences(actual, examples.filter(isObject), path)
  return [`${path}: wanted an ${wanted}, got ${show(actual)}`]
}

function arrayDifferences(
  actual: Json[],
  examples: readonly Json[][],
  path: string,
  key: string,
): string[] {
  const elements = examples.flat()
  const [owner, ...others] = examples[0] ?? []
  return actual.flatMap((item, index) => {
    const owned = index === 0 && owner !== undefined ? [owner] : others
    const shapes = ownerFirst.has(key) ? owned : elements
    return shapeDifferences(item, shapes, `${path}[${index}]`, key)
  })
}

function objectDifferences(actual: JsonObject, examples: JsonObject[], path: string): string[] {
  const variants = new Map<string, JsonObject[]>()
  for (const example of examples) {
    const keys = Object.keys(example).join()
    variants.set(keys, [...(variants.get(keys) ?? []), example])
  }
  const found = [...variants.values()].map((same) => {
    const keys = Object.keys(same[0] ?? {})
    const inner = keys
      .filter((key) => Object.hasOwn(actual, key))
      .flatMap((key) =>
        shapeDifferences(
          actual[key] ?? null,
          same.map((example) => example[key] ?? null),
          `${path}.${key}`,
          key,
        ),
      )
    return [...keyDifferences(actual, keys, path), ...inner]
  })
  return found.reduce((best, next) => (next.length < best.length ? next : best))
}

/** Where a value differs from what a test expects; `exact` forbids keys that are not named. */
export function valueDifferences(
  actual: Json | undefined,
  expected: Expectation,
  path: string,
  exact = false,
): string[] {
  const wrong = (wanted: string): string[] => [`${path}: expected ${wanted}, got ${show(actual)}`]
  if (expected === undefined) return actual === undefined ? [] : wrong('nothing')
  if (actual === undefined) return wrong('a value')
  if (typeof expected === 'function') return expected(actual) ? [] : wrong(String(expected))
  if (expected instanceof RegExp)
    return typeof actual === 'string' && expected.test(actual) ? [] : wrong(String(expected))
  if (Array.isArray(expected)) {
    const list = expected as readonly Expectation[]
    if (!Array.isArray(actual)) return wrong('an array')
    if (actual.length !== list.length) return wrong(`${list.length} elements`)
    return list.flatMap((item, index) =>
      valueDifferences(actual[index], item, `${path}[${index}]`, exact),
    )
  }
  if (typeof expected !== 'object' || expected === null)
    return actual === expected ? [] : wrong(show(expected))
  if (!isObject(actual)) return wrong('an object')
  const keys = Object.entries(expected)
  return [
    ...(exact ? keyDifferences(actual, Object.keys(expected), path) : []),
    ...keys.flatMap(([key, value]) => {
      const inner = Object.hasOwn(actual, key) ? actual[key] : undefined
      if (exact && inner === undefined) return []
      return valueDifferences(inner, value, `${path}.${key}`, exact)
    }),
  ]
}
