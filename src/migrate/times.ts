import type { WireTimes } from '../wire/times.ts'
import { isDocument, type Json } from './extended-json.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
const LATEST = Date.UTC(10_000, 0)
/** Below this a number of milliseconds would be before March 1973, so it counts seconds. */
const MILLISECONDS = 1e11

// prettier-ignore
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** `Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)` */
const WRITTEN_OUT =
  /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT([+-])(\d{2})(\d{2})(?: \(.*\))?$/
/** `2023-11-29T01:57:29.000Z`, `Wed, 29 Nov 2023 01:57:29 GMT` */
const WITH_ZONE =
  /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})|\w{3}, .* GMT)$/
/** `2023-9-12 16:53`, `2023/9/12`, `2023年11月16日`, `2023-11-29T09:57:29.5` */
const LOCAL =
  /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,3})?\d*)?)?$/

/** The moment that an id was made, to the second. */
export function timeOfId(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8), 16) * SECOND)
}

/**
 * The moment that a value means, whether it is a date, a number, or a text in any of the forms
 * that JavaScript programs write; a text without a zone is local to TIMEZONE. One that is only
 * exact to the minute or the day is taken from the id where that fits.
 *
 * @returns undefined when it means none between 1970 and 9999
 */
export function readTime(value: Json | undefined, id: string, times: WireTimes): Date | undefined {
  const found = parse(value, times)
  if (found === undefined) return undefined
  const [milliseconds, precision] = found
  if (!(milliseconds >= 0 && milliseconds < LATEST)) return undefined
  const made = timeOfId(id).getTime()
  const within = made >= milliseconds && made < milliseconds + precision
  return new Date(precision > SECOND && within ? made : milliseconds)
}

type Moment = [milliseconds: number, precision: number]

function parse(value: Json | undefined, times: WireTimes): Moment | undefined {
  if (typeof value === 'string') return parseText(value.trim(), times)
  if (!isDocument(value)) return undefined
  const { $date: date, $timestamp: stamp } = value
  if (isDocument(date)) return [Number(date['$numberLong']), 1]
  if (isDocument(stamp)) return [Number(stamp['t']) * SECOND, 1]
  const { $numberLong, $numberDouble, $numberInt } = value
  return fromNumber(Number($numberLong ?? $numberDouble ?? $numberInt))
}

function fromNumber(number: number): Moment | undefined {
  if (Number.isNaN(number) || number <= 0) return undefined
  return [Math.trunc(number >= MILLISECONDS ? number : number * SECOND), 1]
}

function parseText(text: string, times: WireTimes): Moment | undefined {
  if (/^\d{10,13}$/.test(text)) return fromNumber(Number(text))
  const written = WRITTEN_OUT.exec(text)
  if (written !== null) return parseWrittenOut(written)
  if (WITH_ZONE.test(text)) return [Date.parse(text.replace(' ', text[3] === ',' ? ' ' : 'T')), 1]
  const [, year, month, day, hour, minute, second, fraction] = LOCAL.exec(text) ?? []
  if (!isDate(Number(year), Number(month), Number(day))) return undefined
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) {
    return undefined
  }
  const clock = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
  )
  const start = times.momentOf(new Date(clock)).getTime()
  const precision = hour === undefined ? DAY : second === undefined ? MINUTE : SECOND
  return [start + Number(fraction ?? 0) * SECOND, precision]
}

function parseWrittenOut(match: RegExpExecArray): Moment | undefined {
  const [, name = '', day, year, hour, minute, second, sign, hours, minutes] = match
  const month = MONTHS.indexOf(name)
  const shown = Date.UTC(
    Number(year),
    month,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE * (sign === '-' ? -1 : 1)
  return month === -1 ? undefined : [shown - offset, SECOND]
}

/** Whether there is such a day. */
export function isDate(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}
