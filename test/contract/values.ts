import type { Json } from './json.ts'

export interface Rule {
  wants: string
  holds: (value: Json) => boolean
}

const pattern = (wants: string, shape: RegExp): Rule => ({
  wants,
  holds: (value) => typeof value === 'string' && shape.test(value),
})

const whole = (wants: string, least: number, most = Number.MAX_SAFE_INTEGER): Rule => ({
  wants,
  holds: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
})

const realMinute = (year = '', month = '', day = '', hour = '0', minute = '0'): boolean => {
  const date = new Date(Date.UTC(+year, +month - 1, +day, +hour, +minute))
  return (
    date.getUTCMonth() === +month - 1 && date.getUTCDate() === +day && +hour < 24 && +minute < 60
  )
}

const dated = (wants: string, shape: RegExp): Rule => ({
  wants,
  holds: (value) => {
    const parts = typeof value === 'string' ? shape.exec(value) : null
    return parts !== null && realMinute(...parts.slice(1))
  },
})

const id = pattern('an id of 24 lower-case hex digits', /^[0-9a-f]{24}$/)
const filled = pattern('a string that is not empty', /[^]/)
const plainDate = dated('a real date like 2003-06-26', /^(\d{4})-(\d{2})-(\d{2})$/)

const isoTime: Rule = {
  wants: 'a time like 2023-11-25T18:36:15.748Z',
  holds: (value) =>
    typeof value === 'string' &&
    !Number.isNaN(Date.parse(value)) &&
    new Date(value).toISOString() === value,
}

// Date.parse ignores a wrong weekday, so the text is printed again and compared.
const chatTime: Rule = {
  wants: 'a real time like Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)',
  holds: (value) => {
    if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) return false
    const clock = new Date(Date.parse(value) + 8 * 3_600_000).toUTCString()
    const again = clock.replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $4 $5')
    return value === `${again} GMT+0800 (中国标准时间)`
  },
}

const times: Rule[] = [
  isoTime,
  chatTime,
  dated(
    'a real minute like 2023-9-12 16:53, only the minute padded',
    /^([1-9]\d{3})-([1-9]\d?)-([1-9]\d?) (\d|[12]\d):(\d{2})$/,
  ),
  dated('a real day like 2023年11月16日', /^([1-9]\d{3})年([1-9]\d?)月([1-9]\d?)日$/),
]

// Values that are words of the protocol, so the document's example is meant literally.
const literalKeys = new Set(
  'status msg res_code result type data state friendState shouldUpload __v'.split(' '),
)

// Values that the contract describes in words (behaviour.md 3, 5, 6 and 7).
const rulesByKey = new Map<string, Rule>([
  ['_id', id],
  ['token', pattern('a token', /^\S+$/)],
  ['phone', pattern('a phone number', /^1[3-9]\d{9}$/)],
  ['WaiFCode', pattern('WaiFCode_ and more', /^WaiFCode_./)],
  ['nick', filled],
  ['groupName', filled],
  ['imgUrl', filled],
  ['sex', pattern('未知, 男 or 女', /^(未知|男|女)$/)],
  ['start', pattern("a zodiac sign or ''", /^(\p{Script=Han}{2}座)?$/u)],
  [
    'birthday',
    { wants: `${plainDate.wants} or ''`, holds: (value) => value === '' || plainDate.holds(value) },
  ],
  [
    'age',
    { wants: "a whole number or ''", holds: (value) => value === '' || whole('', 0).holds(value) },
  ],
  ['msgType', whole('a message type, 0 to 8', 0, 8)],
  ['groupNumber', whole('a whole number of 13 digits', 1e12, 1e13 - 1)],
  ['url', pattern('the address of a stored file', /^\/[^/#?%\\"'\p{Cc}]+$/u)],
  ['existChunks', pattern('a chunkHash', /^[0-9a-f]{32}-\d+$/)],
  ...['unreadMsgCount', 'maleNum', 'femaleNum', 'is00sBornNum'].map(countOf),
  ...['friendNoticeNum', 'groupNoticeNum'].map(countOf),
])

function countOf(key: string): [string, Rule] {
  return [key, whole('a count', 0)]
}

function ruleByExamples(examples: readonly Json[]): Rule {
  const [first] = examples
  if (typeof first === 'number')
    return examples.every(Number.isInteger)
      ? whole('a whole number', Number.MIN_SAFE_INTEGER)
      : { wants: 'a number', holds: Number.isFinite }
  if (typeof first !== 'string')
    return { wants: `a ${typeof first}`, holds: (value) => typeof value === typeof first }
  if (/^<.*>$/.test(first)) return filled
  return [id, ...times].find((rule) => examples.every(rule.holds)) ?? pattern('a string', /^[^]*$/)
}

/** What a value that is neither object nor array must be, by its key and the examples for it. */
export function ruleFor(key: string, examples: readonly Json[]): Rule {
  if (literalKeys.has(key) || examples.includes(null)) {
    const wants = [...new Set(examples.map((example) => JSON.stringify(example)))].join(' or ')
    return { wants, holds: (value) => examples.includes(value) }
  }
  return rulesByKey.get(key) ?? ruleByExamples(examples)
}
