/** First day of each sign as `month * 100 + day`, in the order of the year. */
const SIGNS = [
  [120, '水瓶座'],
  [219, '双鱼座'],
  [321, '白羊座'],
  [420, '金牛座'],
  [521, '双子座'],
  [622, '巨蟹座'],
  [723, '狮子座'],
  [823, '处女座'],
  [923, '天秤座'],
  [1024, '天蝎座'],
  [1123, '射手座'],
  [1222, '摩羯座'],
] as const

/** Whether a text is a real date in the form `2003-06-26`, from 1900 on. */
export function isBirthday(text: string): boolean {
  if (!/^(19|[2-9]\d)\d\d-\d\d-\d\d$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** The zodiac sign (星座) of a birthday, `''` without one (behaviour.md 3). */
export function zodiacSign(birthday: string | null): string {
  if (birthday === null) return ''
  const day = Number(birthday.slice(5, 7)) * 100 + Number(birthday.slice(8, 10))
  return SIGNS.findLast(([first]) => first <= day)?.[1] ?? '摩羯座'
}

/** Whole years since a birthday, `''` without one (behaviour.md 3). */
export function age(birthday: string | null, today: [number, number, number]): number | '' {
  if (birthday === null) return ''
  const [year, month, day] = birthday.split('-').map(Number) as [number, number, number]
  const hadBirthday = today[1] > month || (today[1] === month && today[2] >= day)
  return Math.max(0, today[0] - year - (hadBirthday ? 0 : 1))
}
