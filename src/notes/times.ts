import type { WireTimes } from '../wire/times.ts'

/** `Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)`: what JavaScript prints. */
const PRINTED = /^\w{3} \w{3} \d\d \d{4} \d\d:\d\d:\d\d GMT[+-]\d{4}( \(.{1,64}\))?$/
/** `2023-09-28`, and with a time of day, seconds and an offset as ISO 8601 has them. */
const NUMBERS =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/

/** Every answer must be a year of four digits that all clocks know. */
const FIRST = Date.parse('1970-01-01T00:00:00Z')
const LAST = Date.parse('9999-01-01T00:00:00Z')

/**
 * The moment that a client's `time` stands for; undefined when it stands for none. What names
 * no offset is meant in the server's time zone.
 */
export function writtenTime(text: string, times: WireTimes): Date | undefined {
  if (PRINTED.test(text)) return known(new Date(text))
  const [, date, clock = '00:00', offset] = NUMBERS.exec(text) ?? []
  if (date === undefined) return undefined
  const shown = known(new Date(`${date}T${clock}${offset ?? 'Z'}`))
  return shown !== undefined && offset === undefined ? times.momentOf(shown) : shown
}

function known(moment: Date): Date | undefined {
  return moment.getTime() >= FIRST && moment.getTime() < LAST ? moment : undefined
}
