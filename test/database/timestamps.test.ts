import t from 'tap'
import fc from 'fast-check'
import { readTimestamp } from '../../src/database/timestamps.ts'
import { seeded } from '../helpers/random.ts'

const moment = (from: string, to: string) =>
  fc.date({ min: new Date(from), max: new Date(to), noInvalidDate: true })

/** As PostgreSQL writes it: with no more digits of the fraction than needed, six at most. */
function written(time: Date, microseconds: number): string {
  const [seconds = '', thousandths = ''] = time.toISOString().slice(0, -1).split('.')
  const fraction = (thousandths + String(microseconds).padStart(3, '0')).replace(/0+$/, '')
  return `${seconds.replace('T', ' ')}${fraction === '' ? '' : `.${fraction}`}+00`
}

await t.test('every moment of the years 1 to 9999, cut to the millisecond', async (t) => {
  const times = fc.oneof(
    moment('0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'),
    moment('0001-01-01T00:00:00Z', '0101-01-01T00:00:00Z'),
    moment('1969-12-31T00:00:00Z', '1970-01-02T00:00:00Z'),
  )
  fc.assert(
    fc.property(times, fc.constantFrom(0, 1, 100, 120, 999), (time, microseconds) => {
      const text = written(time, microseconds)
      return readTimestamp(text).getTime() === time.getTime()
    }),
    seeded(20_000),
  )
  t.equal(readTimestamp('2024-02-29 23:59:59.999999+00').toISOString(), '2024-02-29T23:59:59.999Z')
})

await t.test('other zones are understood, and what is no date is none', async (t) => {
  t.same(readTimestamp('2023-11-29 07:42:29.5+05:45'), new Date('2023-11-29T01:57:29.500Z'))
  const none = ['infinity', '-infinity', '10000-01-01 00:00:00+00', '0044-03-15 12:00:00+00 BC']
  for (const text of none) t.ok(Number.isNaN(readTimestamp(text).getTime()), text)
})
