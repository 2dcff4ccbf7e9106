import fc from 'fast-check'
import type { Endpoint } from '../contract/contract.ts'
import { MULTIPART, multipartBody, PNG } from '../contract/files-support.ts'
import { endpointFields } from './endpoint-fields.ts'
import type { Target } from './target.ts'
import { hostileJson, hostileName, hostileText, hugeText } from './values.ts'

/** A request as it goes out. */
export interface HostileRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | undefined
}

/** A parameter and what is sent as its value, or values. */
type Pairs = readonly (readonly [name: string, value: unknown])[]

/** Node itself refuses a longer one. */
const LONGEST_PATH = 12_000
const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

/** Requests for an endpoint, most of them nearly right, all of them allowed to be sent. */
export function hostileRequests(
  { number, method, url }: Endpoint,
  target: Target,
): fc.Arbitrary<HostileRequest> {
  const fields = Object.entries(endpointFields[number] ?? {})
  const valued = fields.map(([name, values]) => {
    const right = fc.constantFrom<unknown>(...values(target))
    const one = (value: fc.Arbitrary<unknown>) => value.map((sent): Pairs => [[name, sent]])
    const twice = fc.tuple(right, hostileText)
    return fc.oneof(
      { weight: 8, arbitrary: one(right) },
      { weight: 6, arbitrary: one(hostileJson) },
      { weight: 1, arbitrary: fc.constant<Pairs>([]) },
      { weight: 1, arbitrary: twice.map((sent): Pairs => sent.map((value) => [name, value])) },
    )
  })
  const stray = fc.option(fc.tuple(hostileName, hostileText), { freq: 5, nil: undefined })
  const pairs = fc
    .tuple(fc.tuple(...valued), stray)
    .map(([sent, more]): Pairs => [...sent.flat(), ...(more === undefined ? [] : [more])])
  const headers = hostileHeaders
  if (method === 'GET') {
    return fc.tuple(pairs, headers).map(([sent, more]) => {
      const { path, rest } = pathOf(url, sent)
      return { method, path: `${path}?${encodePairs(rest)}`.slice(0, LONGEST_PATH), headers: more }
    })
  }
  const bodies = isUpload(number)
    ? fc.oneof({ weight: 9, arbitrary: multipart }, { weight: 1, arbitrary: oddBody })
    : fc.oneof(
        { weight: 500, arbitrary: fc.constant(asForm) },
        { weight: 400, arbitrary: fc.constant(asJson) },
        { weight: 150, arbitrary: oddBody },
        { weight: 50, arbitrary: multipart },
        { weight: 3, arbitrary: hugeText.map(hugeBody) },
      )
  return fc.tuple(pairs, headers, bodies).map(([sent, more, encode]) => {
    const { path, rest } = pathOf(url, sent)
    const { type, body } = encode(rest)
    const typed = type === undefined ? {} : { 'content-type': type }
    return { method, path, headers: { ...typed, ...more }, body }
  })
}

/** Uploads: their bodies are multipart. */
export function isUpload(number: number): boolean {
  return [5, 15, 27, 38, 39, 40].includes(number)
}

interface Encoded {
  readonly type?: string | undefined
  readonly body: Buffer
}
type Encode = (pairs: Pairs) => Encoded

const asForm: Encode = (pairs) => ({ type: FORM, body: Buffer.from(encodePairs(pairs)) })
const asJson: Encode = (pairs) => ({ type: JSON_TYPE, body: Buffer.from(jsonOf(pairs)) })

function hugeBody(text: string): Encode {
  return (pairs) => {
    const [[name] = ['x']] = pairs
    return asJson([...pairs.filter(([other]) => other !== name), [name, text]])
  }
}

/** Bodies that are not what they say, or nothing at all. */
const oddBody: fc.Arbitrary<Encode> = fc.oneof(
  fc.nat(200).map((length): Encode => (pairs) => ({
    type: JSON_TYPE,
    body: asJson(pairs).body.subarray(0, length),
  })),
  hostileJson.map((value): Encode => () => ({
    type: JSON_TYPE,
    body: Buffer.from(JSON.stringify(value)),
  })),
  fc
    .uint8Array({ maxLength: 100 })
    .chain((bytes) =>
      fc
        .constantFrom(FORM, JSON_TYPE, 'text/plain', 'multipart/form-data; boundary=x')
        .map((type): Encode => () => ({ type, body: Buffer.from(bytes) })),
    ),
  fc
    .constantFrom(
      undefined,
      'text/plain',
      'application/xml',
      'application/json; charset=utf-16',
      'application/json\t; a',
      'application/octet-stream',
      'multipart/form-data',
      'x',
      ';',
      '*/*',
      FORM.toUpperCase(),
    )
    .map((type): Encode => (pairs) => ({ ...asForm(pairs), type })),
)

const contents = fc.oneof(
  { weight: 300, arbitrary: fc.constantFrom(PNG, PNG.subarray(0, 20), Buffer.alloc(0)) },
  {
    weight: 30,
    arbitrary: fc.constantFrom(
      '<svg onload="alert(1)"/>',
      '<html>',
      'GIF89a',
      '#!/bin/sh',
      '\r\n--x',
    ),
  },
  { weight: 300, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: hugeText },
)
const partHeaders = fc.oneof(
  {
    weight: 4,
    arbitrary: hostileText.map(
      (name) => `Content-Disposition: form-data; name="file"; filename="${name}"`,
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(hostileName, hostileText)
      .map(([name, file]) => `content-disposition:form-data;name="${name}";filename="${file}"`),
  },
  {
    weight: 1,
    arbitrary: hostileName.map((name) => `Content-Disposition: form-data; name="${name}"`),
  },
  { weight: 1, arbitrary: hostileText },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Content-Disposition: form-data',
      'Content-Disposition: attachment; filename=a.png',
      "Content-Disposition: form-data; name=file; filename*=UTF-8''%e4%bd",
      'Content-Disposition: form-data; name="f"; filename="a.png"\r\nContent-Type: text/html',
      'Content-Disposition: form-data; name="f"; filename="a.png"\r\nContent-Transfer-Encoding: base64',
      'Content-Type: image/png',
    ),
  },
)
const parts = fc.array(
  fc.tuple(partHeaders, contents).map(([headers, body]) => ({ headers, body })),
  { maxLength: 4 },
)

/** Multipart bodies, broken in the usual places. */
const multipart: fc.Arbitrary<Encode> = fc
  .tuple(
    parts,
    fc.constantFrom(
      'whole',
      'whole',
      'whole',
      'cut',
      'unended',
      'boundary',
      'none',
      'noise',
      'many',
    ),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([files, how, at]): Encode => (pairs) => {
    const named = pairs.map(([name, value]) => ({
      headers: `Content-Disposition: form-data; name="${name}"`,
      body: typeof value === 'string' ? value : JSON.stringify(value),
    }))
    const all = [...named, ...files]
    const body = multipartBody(how === 'many' ? Array(40).fill(all).flat().slice(0, 80) : all)
    const type = MULTIPART['content-type']
    if (how === 'cut') return { type, body: body.subarray(0, Math.floor(at * body.length)) }
    if (how === 'unended') return { type, body: body.subarray(0, -8) }
    if (how === 'boundary') return { type: `${type}y`, body }
    if (how === 'none') return { type: 'multipart/form-data', body }
    if (how === 'noise') return { type, body: Buffer.concat([body, Buffer.from('noise'), body]) }
    return { type, body }
  })

const hostileHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 30, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('token', 'authorization', 'content-encoding', 'x-forwarded-for', 'accept'),
        fc.constantFrom(
          '',
          'x',
          'Bearer x',
          'Bearer a.b.c',
          'Basic eDp5',
          'gzip',
          '*',
          'a'.repeat(4000),
        ),
      )
      .map(([name, value]) => ({ [name]: value })),
  },
)

/** The path with its `:type`; what is no segment of a path is left out of it. */
function pathOf(url: string, pairs: Pairs): { path: string; rest: Pairs } {
  if (!url.includes(':type')) return { path: url, rest: pairs }
  const value = pairs.find(([name]) => name === 'type')?.[1]
  const text =
    typeof value === 'string' ? value.slice(0, 500) : JSON.stringify(value ?? null).slice(0, 500)
  const segment = /^\.{0,2}$/.test(text) ? 'x' : percentEncoded(text.toWellFormed())
  return { path: url.replace(':type', segment), rest: pairs.filter(([name]) => name !== 'type') }
}

function jsonOf(pairs: Pairs): string {
  const members = pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return `{${members.join()}}`
}

function encodePairs(pairs: Pairs): string {
  return pairs
    .flatMap(([name, value]) =>
      (Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : [value]).map(
        (one) => {
          const text = typeof one === 'string' ? one : JSON.stringify(one)
          return `${percentEncoded(name)}=${percentEncoded(text)}`
        },
      ),
    )
    .join('&')
}

/** The halves of surrogate pairs, from U+D800 on. */
const encodedHalves = Array.from({ length: 0x800 }, (_, index) => {
  const [second, third] = [0xa0 | (index >> 6), 0x80 | (index & 63)]
  return `%ed%${second.toString(16)}%${third.toString(16)}`
})

/** Like encodeURIComponent, but halves of surrogate pairs are encoded, too. */
function percentEncoded(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text)
  return text.replace(
    /\p{Surrogate}|\P{Surrogate}+/gu,
    (run) => encodedHalves[(run.codePointAt(0) ?? 0) - 0xd800] ?? encodeURIComponent(run),
  )
}
