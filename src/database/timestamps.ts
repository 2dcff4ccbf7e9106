/** Length of a time without fraction and zone. */
const SECONDS = '2023-11-29 01:57:29'.length
const DASH = 0x2d
const ZERO = 0x30

/**
 * Reads a `timestamptz` as PostgreSQL writes it, with DateStyle ISO: `2023-11-29 01:57:29.5+00`.
 * Digits that are read one by one take a third of the time that `Date` takes for a text.
 *
 * @returns an invalid date for what no `Date` can be, such as `infinity`
 */
export function readTimestamp(text: string): Date {
  const zone = text.length - 3
  if (!text.endsWith('+00')) return new Date(text)
  // Years of five digits, and those that Date.UTC takes for years of the twentieth century.
  if (zone < SECONDS || text.charCodeAt(4) !== DASH || text.startsWith('00')) {
    return new Date(`${text.slice(0, zone).replace(' ', 'T')}Z`)
  }
  const year = two(text, 0) * 100 + two(text, 2)
  let thousandths = 0
  if (zone > 20) thousandths += digit(text, 20) * 100
  if (zone > 21) thousandths += digit(text, 21) * 10
  if (zone > 22) thousandths += digit(text, 22)
  const [hour, minute, second] = [two(text, 11), two(text, 14), two(text, 17)]
  const day = two(text, 8)
  return new Date(Date.UTC(year, two(text, 5) - 1, day, hour, minute, second, thousandths))
}

function two(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - ZERO
}
