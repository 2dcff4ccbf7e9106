import type { Friendship, User } from '../database/schema.ts'
import type { WireTimes } from '../wire/times.ts'
import { age, zodiacSign } from './birthdays.ts'

const SEX_WORDS = { unknown: '未知', male: '男', female: '女' } as const

/** The wire's word for a sex. */
export function sexWord(sex: User['sex']): string {
  return SEX_WORDS[sex]
}

/** What the wire's word stands for; undefined when it stands for nothing. */
export function sexFromWord(word: string): User['sex'] | undefined {
  return (Object.keys(SEX_WORDS) as User['sex'][]).find((sex) => SEX_WORDS[sex] === word)
}

/** `data` of endpoints 1 and 2. */
export function accountDocument(user: User, token: string) {
  return {
    token,
    _id: user.id,
    phone: user.phone,
    nick: user.nick,
    imgUrl: user.avatarUrl,
    sex: sexWord(user.sex),
    birthday: user.birthday ?? '',
    start: zodiacSign(user.birthday),
    sign: user.sign,
  }
}

/** `user` of endpoint 3: every public field (behaviour.md 3). */
export function profileDocument(user: User, times: WireTimes) {
  return {
    _id: user.id,
    phone: user.phone,
    WaiFCode: user.waifCode,
    nick: user.nick,
    imgUrl: user.avatarUrl,
    sex: sexWord(user.sex),
    age: age(user.birthday, times.today()),
    birthday: user.birthday ?? '',
    start: zodiacSign(user.birthday),
    sign: user.sign,
  }
}

const FRIEND_STATES = { requested: 0, accepted: 1, received: 4 } as const
const STRANGER = 2
const MYSELF = 3

/** The wire's number for how one stands to another. */
export function friendStateNumber(state: Friendship['state']): 0 | 1 | 4 {
  return FRIEND_STATES[state]
}

/** `friendState` of endpoint 3. */
export function friendState(userId: string, otherId: string, state?: Friendship['state']): number {
  if (userId === otherId) return MYSELF
  return state === undefined ? STRANGER : friendStateNumber(state)
}

/** How a person appears inside other documents. */
export function personDocument(id: string, nick: string, imgUrl: string) {
  return { _id: id, nick, imgUrl }
}
