import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import fc from 'fast-check'
import { wireTimes } from '../../src/wire/times.ts'
import { seeded } from '../helpers/random.ts'

type Shapes = [long: string, minute: string, day: string]

/** What a Chinese system in that zone prints, by JavaScript's own means. */
const printer = `
  const two = (number) => String(number).padStart(2, '0')
  const moments = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
  console.log(JSON.stringify(moments.map((moment) => {
    const at = new Date(moment)
    const [year, month, day] = [at.getFullYear(), at.getMonth() + 1, at.getDate()]
    const minute = year + '-' + month + '-' + day + ' ' + at.getHours() + ':' + two(at.getMinutes())
    return [at.toString(), minute, year + '年' + month + '月' + day + '日']
  })))`

function printedIn(zone: string, moments: readonly number[]): Shapes[] {
  const printed = execFileSync(process.execPath, ['-e', printer], {
    input: JSON.stringify(moments),
    env: { TZ: zone, LC_ALL: 'zh_CN.UTF-8' },
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(printed.toString()) as Shapes[]
}

function every(step: number, from: string, to: string): number[] {
  const [first, last] = [Date.parse(from), Date.parse(to)]
  return Array.from({ length: Math.floor((last - first) / step) }, (_, i) => first + i * step)
}

const HOUR = 3_600_000
const DAYS = 72 * HOUR
/** All clock changes of a year, and odd seconds. */
const moments = every(7 * HOUR - 1_001, '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z')
const zones = [
  'Asia/Shanghai',
  'UTC',
  'Europe/London',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
]

/** Asserts equality of long lists by their differences alone. */
function expectAs(t: Test, zone: string, moments: readonly number[]): void {
  const times = wireTimes(zone)
  const printed = printedIn(zone, moments)
  const different = moments.flatMap((moment, i) => {
    const at = new Date(moment)
    const written: Shapes = [times.long(at), times.minute(at), times.day(at)]
    const wanted = printed[i]
    return written.join() === wanted?.join() ? [] : [{ written, wanted }]
  })
  t.same(different.slice(0, 5), [], `${zone}: ${moments.length} moments`)
}

await t.test('times are written as JavaScript prints them on a Chinese system', async (t) => {
  for (const zone of zones) expectAs(t, zone, moments)
})

await t.test('so are those of the summers in which Shanghai changed its clocks', async (t) => {
  expectAs(t, 'Asia/Shanghai', every(11 * HOUR, '1986-01-01T00:00:00Z', '1992-01-01T00:00:00Z'))
  const times = wireTimes('Asia/Shanghai')
  const summer = 'Mon Jun 27 1988 00:59:59 GMT+0900 (中国夏令时间)'
  t.equal(times.long(new Date('1988-06-26T15:59:59Z')), summer)
})

await t.test('around each change of clocks, to the second', async (t) => {
  const changes: Record<string, string[]> = {
    'America/New_York': ['2024-03-10T07:00:00Z', '2024-11-03T06:00:00Z'],
    'Australia/Lord_Howe': ['2024-04-06T15:00:00Z', '2024-10-05T15:30:00Z'],
    'Asia/Shanghai': ['1988-04-16T18:00:00Z', '1988-09-10T17:00:00Z'],
  }
  for (const [zone, moments] of Object.entries(changes)) {
    const around = moments.flatMap((moment) =>
      [-1000, -1, 0, 999, 1000].map((more) => Date.parse(moment) + more),
    )
    expectAs(t, zone, around)
  }
})

await t.test('they have the shapes of the document, and survive new Date()', async (t) => {
  const times = wireTimes('Asia/Shanghai')
  const at = new Date('2023-11-29T01:57:29.500Z')
  t.equal(times.long(at), 'Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)')
  t.equal(new Date(times.long(at)).toISOString(), '2023-11-29T01:57:29.000Z')
  t.equal(times.minute(new Date('2023-11-25T17:58:00Z')), '2023-11-26 1:58')
  t.equal(times.minute(new Date('2023-09-12T08:53:00Z')), '2023-9-12 16:53')
  t.notOk(Number.isNaN(Date.parse(times.minute(at))))
  t.equal(times.day(new Date('2023-11-15T16:00:00Z')), '2023年11月16日')
  const [year, month, date] = times.today()
  t.equal(`${year}年${month}月${date}日`, times.day(new Date()))
})

await t.test('the ISO form is that of JavaScript, in any year', async (t) => {
  const writer = wireTimes('Asia/Shanghai')
  const times = fc.date({ noInvalidDate: true })
  const near = fc.date({ min: new Date(-DAYS), max: new Date(DAYS), noInvalidDate: true })
  fc.assert(
    fc.property(fc.oneof(times, near), (time) => writer.iso(time) === time.toISOString()),
    seeded(20_000),
  )
  t.throws(() => writer.iso(new Date(NaN)), RangeError)
})
