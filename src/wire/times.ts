/** How times are written on the wire, one function per shape (behaviour.md 2). */
export interface WireTimes {
  /** IANA name of the zone. */
  readonly zone: string
  /** `Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)`: messages, notes. */
  long(time: Date): string
  /** `2023-11-26 1:58`, only the minute padded: spaces, comments, replies. */
  minute(time: Date): string
  /** `2023年11月16日`, unpadded: `creatTime` of groups. */
  day(time: Date): string
  /** `2023-11-29T01:57:29.000Z`, as `toISOString` writes it, but quicker: lists of people. */
  iso(time: Date): string
  /** Today in the zone as `[year, month, day]`, for ages. */
  today(): [number, number, number]
  /** The moment at which clocks in the zone show what the UTC fields of `clock` say. */
  momentOf(clock: Date): Date
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
// prettier-ignore
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** All zone changes fall on a quarter of an hour. */
const QUARTER = 15 * 60_000
const DAY = 24 * 60 * 60_000
const REMEMBERED = 10_000

interface Zone {
  /** Milliseconds to add to UTC. */
  readonly offset: number
  /** `GMT+0800 (中国标准时间)` */
  readonly label: string
}

/**
 * Makes the writers for one time zone.
 *
 * @param timezone IANA name such as `Asia/Shanghai`
 */
export function wireTimes(timezone: string): WireTimes {
  const zoneAt = zones(timezone)
  const beginningOf = days()
  /** A date whose UTC fields read as the local ones. */
  const local = (time: Date) => new Date(time.getTime() + zoneAt(time.getTime()).offset)
  return {
    zone: timezone,
    long(time) {
      const { offset, label } = zoneAt(time.getTime())
      const at = new Date(time.getTime() + offset)
      const date = `${WEEKDAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${pad(at.getUTCDate())}`
      const clock = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`
      return `${date} ${at.getUTCFullYear()} ${clock} ${label}`
    },
    minute(time) {
      const at = local(time)
      const date = `${at.getUTCFullYear()}-${at.getUTCMonth() + 1}-${at.getUTCDate()}`
      return `${date} ${at.getUTCHours()}:${pad(at.getUTCMinutes())}`
    },
    day(time) {
      const at = local(time)
      return `${at.getUTCFullYear()}年${at.getUTCMonth() + 1}月${at.getUTCDate()}日`
    },
    iso(time) {
      const day = Math.floor(time.getTime() / DAY)
      const seconds = Math.floor((time.getTime() - day * DAY) / 1000)
      const clock = `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}`
      const thousandths = String(time.getUTCMilliseconds()).padStart(3, '0')
      return `${beginningOf(day)}${clock}:${pad(seconds % 60)}.${thousandths}Z`
    },
    today() {
      const at = local(new Date())
      return [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()]
    },
    momentOf(clock) {
      const shown = clock.getTime()
      const near = shown - zoneAt(shown).offset
      return new Date(shown - zoneAt(near).offset)
    },
  }
}

/** Looks up the zone at a moment; Intl is asked once per quarter of an hour. */
function zones(timezone: string): (milliseconds: number) => Zone {
  const known = new Map<number, Zone>()
  const fields = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const names = new Intl.DateTimeFormat('zh-CN', { timeZone: timezone, timeZoneName: 'long' })

  return (milliseconds) => {
    const quarter = Math.floor(milliseconds / QUARTER)
    const remembered = known.get(quarter)
    if (remembered !== undefined) return remembered
    const start = quarter * QUARTER
    const part = Object.fromEntries(
      fields.formatToParts(start).map(({ type, value }) => [type, Number(value)]),
    ) as Record<Intl.DateTimeFormatPartTypes, number>
    const offset =
      Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - start
    const minutes = Math.trunc(Math.abs(offset) / 60_000)
    const sign = offset < 0 ? '-' : '+'
    const name = names.formatToParts(start).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const label = `GMT${sign}${pad(Math.trunc(minutes / 60))}${pad(minutes % 60)} (${name})`
    if (known.size >= REMEMBERED) known.clear()
    known.set(quarter, { offset, label })
    return { offset, label }
  }
}

/** Looks up how the ISO form of a day begins, up to the `T`; each is written once. */
function days(): (day: number) => string {
  const known = new Map<number, string>()
  return (day) => {
    let beginning = known.get(day)
    if (beginning === undefined) {
      const [date = ''] = new Date(day * DAY).toISOString().split('T')
      beginning = `${date}T`
      if (known.size >= REMEMBERED) known.clear()
      known.set(day, beginning)
    }
    return beginning
  }
}

function pad(number: number): string {
  return number < 10 ? `0${number}` : String(number)
}
