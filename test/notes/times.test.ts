import t from 'tap'
import { writtenTime } from '../../src/notes/times.ts'
import { wireTimes } from '../../src/wire/times.ts'

const shanghai = wireTimes('Asia/Shanghai')
const read = (text: string, times = shanghai) => writtenTime(text, times)?.toISOString()

await t.test('what JavaScript prints and ISO 8601 are read as they say', async (t) => {
  const moment = '2023-11-29T01:57:29.000Z'
  const printed = 'Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)'
  t.equal(read(printed), moment)
  t.equal(read('Tue Nov 28 2023 20:57:29 GMT-0500 (Eastern Standard Time)'), moment)
  t.equal(read('Wed Nov 29 2023 01:57:29 GMT+0000'), moment)
  t.equal(read('2023-11-29T01:57:29Z'), moment)
  t.equal(read('2023-11-29T09:57:29.000+08:00'), moment)
  t.equal(shanghai.long(writtenTime(printed, shanghai) ?? new Date(0)), printed)
})

await t.test('what names no offset is meant where the server is', async (t) => {
  t.equal(read('2023-09-28'), '2023-09-27T16:00:00.000Z')
  t.equal(read('2023-09-28 10:11'), '2023-09-28T02:11:00.000Z')
  t.equal(read('2023-09-28T10:11:12'), '2023-09-28T02:11:12.000Z')
  t.equal(read('1988-06-01'), '1988-05-31T15:00:00.000Z', 'summer time of those years')
  const newYork = wireTimes('America/New_York')
  t.equal(read('2024-03-10', newYork), '2024-03-10T05:00:00.000Z')
  t.equal(read('2024-03-10 12:00', newYork), '2024-03-10T16:00:00.000Z', 'after the change')
})

await t.test('the rest is no time', async (t) => {
  const texts = [
    '',
    'soon',
    '1',
    '2023',
    '2023-13-01',
    '2023-09-28T25:00',
    '2023-09-28T10:11+99:00',
    '1969-12-31T23:59:59Z',
    '9999-01-01T00:00:00Z',
    '9999-12-31T23:59:59-12:00',
    'Xxx Foo 29 2023 09:57:29 GMT+0800',
    `Wed Nov 29 2023 09:57:29 GMT+0800 (${'x'.repeat(100_000)})`,
  ]
  for (const text of texts) t.equal(read(text), undefined, text.slice(0, 40))
})
