import { readFileSync } from 'node:fs'
import { addedCases, completions, everywhere, knowingDifferences } from './amendments.ts'
import { shapeDifferences, valueDifferences, type Expectation } from './compare.ts'
import { at, isObject, repeatedKeys, withValue, type Json } from './json.ts'

export type { Expectation } from './compare.ts'

export interface Endpoint {
  number: number
  title: string
  method: 'GET' | 'POST'
  url: string
  responses: { case: string; body: Json }[]
}

const source = readFileSync(new URL('../../spec/contract.json', import.meta.url), 'utf8')

/** The endpoints of the document, each with every case that it or behaviour.md documents. */
export const endpoints: readonly Endpoint[] = (JSON.parse(source) as Endpoint[]).map(
  (endpoint) => ({
    ...endpoint,
    responses: [
      ...endpoint.responses,
      ...Object.entries(addedCases.get(endpoint.number) ?? {}).map(([name, body]) => ({
        case: name,
        body,
      })),
    ],
  }),
)

/** Whether a case is one of the refusals that every endpoint may answer: 401, 403, 429. */
export const isEverywhere = (caseName: string): boolean => Object.hasOwn(everywhere, caseName)

const amendments = [...completions, ...knowingDifferences]

/** All example bodies of one case; several where behaviour.md lists the values of a field. */
export function examplesOf(number: number, caseName: string): Json[] {
  const endpoint = endpoints.find((one) => one.number === number)
  const written = endpoint?.responses.find((one) => one.case === caseName)?.body
  const body = written ?? (endpoint && isEverywhere(caseName) ? everywhere[caseName] : undefined)
  if (body === undefined) throw new Error(`no documented case: ${number} ${caseName}`)
  return amendments
    .filter(({ line }) => line === `${number} ${caseName}`)
    .reduce<Json[]>(
      (bodies, { at: path, values }) =>
        bodies.flatMap((one) => values.map((value) => withValue(one, path, value))),
      [body],
    )
}

/** The example body of one case, with what behaviour.md adds to it. */
export function documented(number: number, caseName: string): Json {
  return examplesOf(number, caseName)[0] ?? null
}

export interface FieldError {
  path: string
  msg: string
  /** What the client sent, if it sent anything (never for a password). */
  value?: Json
}

/** The expectation for a 405 body: its `data` lists exactly these failed rules. */
export function fieldErrors(...failed: FieldError[]): { data: Json[] } {
  return {
    data: failed.map(({ path, msg, value }) => ({
      type: 'field',
      ...(value === undefined ? {} : { value }),
      msg,
      path,
      location: 'body',
    })),
  }
}

/**
 * How the text of an answer differs from a documented case; an empty list means not at all.
 * Expectations are checked by value on top; a 405 body is compared exactly, with the `data`
 * of the expectations (see fieldErrors) or else the whole documented list.
 */
export function compare(
  actualText: string,
  number: number,
  caseName: string,
  expectations?: Expectation,
): string[] {
  const examples = examplesOf(number, caseName)
  let actual: Json
  try {
    actual = JSON.parse(actualText) as Json
  } catch {
    return [`body: not JSON: ${actualText.slice(0, 200)}`]
  }
  const repeated = repeatedKeys(actualText).map((key) => `body: the key ${key} twice in one object`)
  const [body = null] = examples
  if (isObject(body) && at(body, 'status') === 405) {
    const wanted = { ...body, ...(expectations as { data?: Json[] } | undefined) }
    return [...repeated, ...valueDifferences(actual, wanted, 'body', true)]
  }
  return [
    ...repeated,
    ...shapeDifferences(actual, examples, 'body'),
    ...(expectations === undefined ? [] : valueDifferences(actual, expectations, 'body')),
  ]
}
