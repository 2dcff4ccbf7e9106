import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import { compare, documented, endpoints, fieldErrors } from './contract.ts'
import type { Endpoint, Expectation } from './contract.ts'
import { at, isObject, withValue, type Json, type JsonObject } from './json.ts'

type Path = (string | number)[]

const samples = new Map<string, Json>([
  ['token', 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln'],
  ['_id', '64eec06fa61f50ab31295296'],
  ['phone', '13800138000'],
  ['WaiFCode', 'WaiFCode_13800138000'],
  ['sex', '未知'],
  ['age', 20],
  ['birthday', '2003-06-26'],
  ['start', '巨蟹座'],
  ['url', '/1700935111845-黄鼠狼.jpg'],
  ['existChunks', 'adc960a0c14c9a143ca0266005633c53-0'],
])

/** An example with real values in the place of placeholders like `<token>`. */
function filled(value: Json, key = ''): Json {
  if (Array.isArray(value)) return value.map((item) => filled(item, key))
  if (isObject(value)) {
    const entries = Object.entries(value).map(([name, inner]) => [name, filled(inner, name)])
    return Object.fromEntries(entries) as JsonObject
  }
  return typeof value === 'string' && /^<.*>$/.test(value) ? (samples.get(key) ?? 'x') : value
}

/** Every place in a document that holds something, itself included. */
function places(value: Json, path: Path = []): Path[] {
  const inner: [string | number, Json][] = isObject(value)
    ? Object.entries(value)
    : Array.isArray(value)
      ? [...value.entries()]
      : []
  return [path, ...inner.flatMap(([key, item]) => places(item, [...path, key]))]
}

function without(body: Json, path: Path): Json {
  const parent = at(body, ...path.slice(0, -1))
  const entries = Object.entries(isObject(parent) ? parent : {})
  const rest = Object.fromEntries(entries.filter(([key]) => key !== path.at(-1)))
  return withValue(body, path.slice(0, -1), rest)
}

/** Documents that each differ from this one in a single thing at a single place. */
function* mutations(body: Json): Generator<[string, Json]> {
  for (const path of places(body)) {
    const value = at(body, ...path) ?? null
    const name = path.join('.')
    yield [`${name} as null`, withValue(body, path, null)]
    if (typeof path.at(-1) === 'string') yield [`${name} missing`, without(body, path)]
    if (isObject(value)) {
      yield [`${name} with another key`, withValue(body, path, { ...value, more: 1 })]
      const [first, ...rest] = Object.entries(value)
      if (first && rest.length > 0)
        yield [`${name} reordered`, withValue(body, path, Object.fromEntries([...rest, first]))]
    }
    const other = typeof value === 'string' ? 7 : Array.isArray(value) ? {} : 'other'
    yield [`${name} of another type`, withValue(body, path, other)]
    if (typeof value === 'number') {
      yield [`${name} as text`, withValue(body, path, String(value))]
      yield [`${name} with a fraction`, withValue(body, path, value + 0.5)]
    }
  }
}

const cases = endpoints.flatMap(({ number, responses }) =>
  responses.map(({ case: name }) => ({ number, name, body: filled(documented(number, name)) })),
)
const example = (number: number, name = 'success'): Json => filled(documented(number, name))
const differences = (body: Json, number: number, name = 'success'): string[] =>
  compare(JSON.stringify(body), number, name)

/** Asserts that one changed value is found, as the only difference, and named by its place. */
function finds(t: Test, number: number, path: Path, value: Json, name = 'success'): void {
  const list = differences(withValue(example(number, name), path, value), number, name)
  t.match(list, [String(path.at(-1))], `${number}: ${path.join('.')} = ${JSON.stringify(value)}`)
  t.equal(list.length, 1, list.join('\n'))
}

function accepts(t: Test, number: number, path: Path, value: Json, name = 'success'): void {
  const list = differences(withValue(example(number, name), path, value), number, name)
  t.same(list, [], `${number}: ${path.join('.')} = ${JSON.stringify(value)}`)
}

await t.test('every documented body equals itself', async (t) => {
  t.equal(endpoints.length, 47)
  t.equal(cases.length, 111)
  for (const { number, name, body } of cases)
    t.same(differences(body, number, name), [], `${number} ${name}`)
})

await t.test('only the amended examples differ from the document itself', async (t) => {
  const file = new URL('../../spec/contract.json', import.meta.url)
  const raw = JSON.parse(readFileSync(file, 'utf8')) as Endpoint[]
  const different = raw.flatMap(({ number, responses }) =>
    responses
      .filter(({ case: name, body }) => differences(filled(body), number, name).length > 0)
      .map(({ case: name }) => `${number} ${name}`),
  )
  const placeholders = ['3 success', '27 success', '42 success: 文件需要重新上传']
  t.same(different, [...placeholders, '43 success'])
})

await t.test('every single change of every documented body is found', async (t) => {
  // A joined group's row has `time` and an owned one's has not: both shapes are documented.
  const legitimate = new Set(['20 success: data.3.time missing'])
  let count = 0
  const missed: string[] = []
  for (const { number, name, body } of cases) {
    for (const [change, mutant] of mutations(body)) {
      const label = `${number} ${name}: ${change}`
      count += 1
      if (differences(mutant, number, name).length === 0 && !legitimate.has(label))
        missed.push(label)
    }
  }
  t.same(missed, [])
  t.ok(count > 3000, `${count} changes tried`)
})

await t.test('values are matched by the shape of the example', async (t) => {
  const bad: [number, Path, Json[]][] = [
    [9, ['data', 0, '_id'], ['65623E9FDE6678FD1D5A0061', '65623e9fde6678fd1d5a006', '']],
    [9, ['data', 0, 'userId'], ['someone']],
    [9, ['data', 0, 'time'], ['2023-11-25T18:36:15Z', '2023-02-30T18:36:15.748Z', 'soon']],
    [9, ['data', 0, 'state'], [0, 2]],
    [11, ['data', 0, 'state'], [1]],
    [16, ['data', 'group', 'creatTime'], ['2023年02月30日', '2023年2月30日', '2023-11-16']],
    [16, ['data', 'group', 'groupNumber'], [1, 170007870594]],
    [16, ['data', 'groupUser', 1, 'userId', 'birthday'], ['2003-6-26', '2003-02-29']],
    [16, ['data', 'statis', 'maleNum'], [-1]],
    [29, ['data', 0, 'time'], ['2023-09-12 16:53', '2023-9-12 16:5', '2023-9-12 24:00']],
    [29, ['data', 2, 'commentList', 0, 'type'], [1]],
    [36, ['data', 'messageList', 0, 'msgType'], [9]],
    [40, ['msg'], ['成功']],
    [41, ['url'], ['1700.jpg', '/a b?.jpg', '/folder/1700.jpg']],
    [43, ['data', 1, 'unreadMsgCount'], [-1]],
  ]
  for (const [number, path, values] of bad)
    for (const value of values) finds(t, number, path, value)
  finds(t, 1, ['data', 'token'], '', '注册成功返回')
  finds(t, 1, ['data', 'sex'], 'male', '注册成功返回')
  accepts(t, 1, ['data', 'birthday'], '', '注册成功返回')
  accepts(t, 6, ['start'], '')
  accepts(t, 3, ['data', 'user', 'age'], '')
  for (const state of [0, 1, 2, 3, 4]) accepts(t, 3, ['data', 'friendState'], state)
  accepts(t, 29, ['data', 0, 'isLike'], true)
})

await t.test('the times of messages are real and in the zone of the document', async (t) => {
  const path = ['data', 0, 'time']
  accepts(t, 46, path, 'Thu Feb 29 2024 00:00:01 GMT+0800 (中国标准时间)')
  finds(t, 46, path, 'Wed Sep 28 2023 00:02:43 GMT+0800 (中国标准时间)')
  finds(t, 46, path, 'Wed Sep 31 2023 00:02:43 GMT+0800 (中国标准时间)')
  finds(t, 46, path, 'Wed Sep 27 2023 16:02:43 GMT+0000 (协调世界时)')
  finds(t, 46, path, 'Thu Sep 28 2023 00:02:43 GMT+0800 (China Standard Time)')
  finds(t, 46, path, 'Thu Sep 28 2023 0:02:43 GMT+0800 (中国标准时间)')
})

await t.test('elements have one of the documented shapes, in their places', async (t) => {
  const [owner = null, member = null] = at(example(17), 'data', 'groupUser') as Json[]
  const rows: Path = ['data', 'groupUser']
  accepts(t, 17, rows, [owner, member, member])
  accepts(t, 17, rows, [])
  finds(t, 17, [...rows, 0], member)
  finds(t, 17, [...rows, 1], owner)
  finds(t, 21, ['data', 'groupUserList', 0], owner)
  accepts(t, 20, ['data'], (at(example(20), 'data') as Json[]).slice(-1))

  const [friend = null, group = null] = at(example(43), 'data') as Json[]
  accepts(t, 43, ['data'], [group, friend, group])
  finds(t, 43, ['data', 0], withValue(friend, ['type'], 'groupChat'))
  finds(t, 43, ['data', 0, 'lastMsg'], without(at(friend, 'lastMsg') ?? null, ['_id']))
  finds(t, 43, ['data', 0], without(friend, ['unreadMsgCount']))
  finds(t, 7, ['data'], ['x'], '关键字空')
  finds(t, 29, ['data', 1, 'likeList'], [{ _id: samples.get('_id') ?? null }])
})

await t.test('the text itself counts', async (t) => {
  t.match(compare('<html>', 8, 'success'), [/not JSON/])
  t.match(compare('', 8, 'success'), [/not JSON/])
  t.match(compare('{"status":200,"msg":"x","msg":"申请中"}', 8, 'success'), [/msg twice/])
  t.same(compare('{ "status": 200, "msg": "\\u7533请中" }', 8, 'success'), [])
  t.match(compare('{"msg":"申请中","status":200}', 8, 'success'), [/order msg, status/])
  t.throws(() => compare('{}', 8, 'succes'), /no documented case: 8 succes/)
})

await t.test('a 405 body lists exactly the expected rules', async (t) => {
  const name = '参数缺省'
  const nick = { path: 'nick', msg: '昵称不能为空' }
  const phone = { path: 'phone', msg: '手机号不合法', value: '1' }
  const body = (...failed: Parameters<typeof fieldErrors>): string =>
    JSON.stringify({ status: 405, msg: '参数错误', ...fieldErrors(...failed) })

  t.same(compare(JSON.stringify(documented(1, name)), 1, name), [])
  t.same(compare(body(phone, nick), 1, name, fieldErrors(phone, nick)), [])
  t.match(compare(body(phone), 1, name), [/expected 4 elements/])
  t.match(compare(body(nick, phone), 1, name, fieldErrors(phone, nick)).join(), /data\[0\]/)
  t.match(compare(body(nick), 1, name, fieldErrors({ ...nick, value: '' })), [/value: missing/])
  t.match(compare(body({ ...nick, value: '' }), 1, name, fieldErrors(nick)), [/value: not in/])
  const late = body(phone).replace('"value":"1",', '').replace('"}]', '","value":"1"}]')
  t.match(compare(late, 1, name, fieldErrors(phone)), [/keys in the order/])
})

await t.test('expectations are checked by value, as a part of the body', async (t) => {
  const text = JSON.stringify(example(9))
  const three = (first: Expectation): Expectation => [first, {}, {}]
  t.same(compare(text, 9, 'success', { data: three({ friendId: { nick: 'ces4' } }) }), [])
  t.same(compare(text, 9, 'success', { data: three({ friendId: { nick: /^ces\d$/ } }) }), [])
  t.same(compare(text, 9, 'success', { data: (rows) => Array.isArray(rows) }), [])
  t.same(compare(text, 9, 'success', { data: three({ unread: undefined }) }), [])
  const wrong = compare(text, 9, 'success', { data: three({ friendId: { nick: 'x' } }) })
  t.same(wrong, ['body.data[0].friendId.nick: expected "x", got "ces4"'])
  t.match(compare(text, 9, 'success', { data: [{}] }), [/expected 1 elements/])
  t.match(compare(text, 9, 'success', { data: [] }), [/expected 0 elements/])
  t.match(compare(text, 9, 'success', { data: three({ time: undefined }) }), [/expected nothing/])
  t.match(compare(text, 9, 'success', { data: three({ state: null }) }), [/expected null, got 1/])
})

await t.test('refusals that every endpoint may give', async (t) => {
  const refused = '{"status":429,"msg":"操作过于频繁, 请稍后再试"}'
  t.same(compare(refused, 30, '429'), [])
  t.same(compare('{"status":403,"msg":"无权操作"}', 30, '403'), [])
  t.same(compare('{"status":401,"msg":"登录已失效, 请重新登录"}', 30, '401'), [])
  t.not(compare(refused, 30, '403').length, 0)
})
