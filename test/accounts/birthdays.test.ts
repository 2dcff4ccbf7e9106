import t from 'tap'
import { age, isBirthday, zodiacSign } from '../../src/accounts/birthdays.ts'

await t.test('every sign has its first and last day', async (t) => {
  const signs: [sign: string, first: string, last: string][] = [
    ['水瓶座', '01-20', '02-18'],
    ['双鱼座', '02-19', '03-20'],
    ['白羊座', '03-21', '04-19'],
    ['金牛座', '04-20', '05-20'],
    ['双子座', '05-21', '06-21'],
    ['巨蟹座', '06-22', '07-22'],
    ['狮子座', '07-23', '08-22'],
    ['处女座', '08-23', '09-22'],
    ['天秤座', '09-23', '10-23'],
    ['天蝎座', '10-24', '11-22'],
    ['射手座', '11-23', '12-21'],
    ['摩羯座', '12-22', '01-19'],
  ]
  for (const [sign, first, last] of signs) {
    t.equal(zodiacSign(`2003-${first}`), sign)
    t.equal(zodiacSign(`2004-${last}`), sign)
  }
  t.equal(zodiacSign('2003-01-01'), '摩羯座')
  t.equal(zodiacSign('2003-12-31'), '摩羯座')
  t.equal(zodiacSign('2004-02-29'), '双鱼座')
  t.equal(zodiacSign(null), '')
})

await t.test('age grows on the birthday', async (t) => {
  t.equal(age('2003-06-26', [2023, 6, 25]), 19)
  t.equal(age('2003-06-26', [2023, 6, 26]), 20)
  t.equal(age('2003-06-26', [2023, 12, 1]), 20)
  t.equal(age('2003-06-26', [2024, 1, 31]), 20)
  t.equal(age('2004-02-29', [2023, 2, 28]), 18)
  t.equal(age('2004-02-29', [2023, 3, 1]), 19)
  t.equal(age('2023-06-26', [2023, 6, 26]), 0)
  t.equal(age('2030-01-01', [2023, 6, 26]), 0)
  t.equal(age(null, [2023, 6, 26]), '')
})

await t.test('a birthday is a real date', async (t) => {
  for (const text of ['1900-01-01', '2003-06-26', '2004-02-29', '2000-02-29', '1999-12-31'])
    t.ok(isBirthday(text), text)
  const others = ['', '2003-02-29', '1900-02-29', '2003-04-31', '2003-00-10', '2003-10-00']
  const forms = ['1899-12-31', '0000-01-01', '2003-6-26', '2003/06/26', '20030626', ' 2003-06-26']
  for (const text of [...others, ...forms, '2003-06-26 ', '12003-06-26', '2003-06-26T00:00', 'x'])
    t.notOk(isBirthday(text), text)
})
