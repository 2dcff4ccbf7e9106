import { endpoints } from './contract.ts'
import { events, type ClientEvent, type SentEvent } from './events.ts'

/**
 * The lines that the suite covers: `<endpoint> <case>`, `event <event>`. A line listed here
 * that no test hits is lost and fails the suite, and so does a hit line that is not listed.
 */
export const covered: readonly string[] = [
  '1 注册成功返回',
  '1 该用户已注册',
  '1 服务器错误',
  '1 参数缺省',
  '2 登陆成功',
  '2 该用户不存在',
  '2 密码错误',
  '2 服务器错误',
  '3 success',
  '3 服务器错误 加载失败',
  '4 success',
  '4 error',
  '6 success',
  '6 error',
  '6 参数缺省',
  '7 关键字空',
  '7 暂无数据',
  '7 服务器错误',
  '7 success',
  '8 参数缺省',
  '8 success',
  '8 error',
  '9 success',
  '9 error',
  '10 success',
  '10 error',
  '11 success',
  '11 error',
  '12 参数缺省',
  '12 success',
  '12 error',
  '13 参数缺省',
  '13 success',
  '13 error',
  '28 success',
  '28 error',
  '29 success',
  '29 error',
  '30 success',
  '30 error',
  '31 success',
  '31 error',
  '32 success',
  '32 error',
  '33 success',
  '33 error',
  '34 success',
  '34 error',
  '35 success',
  '35 error',
  '36 与该用户还不是好友',
  '36 暂无更多',
  '36 success',
  '36 error',
  '43 success',
  '43 error',
  '44 success',
  '44 error',
  '45 success',
  '45 error',
  '46 success',
  '46 error',
  '47 success',
  '47 error',
  'event agree_apply',
  'event apply_notice',
  'event init_apply_notice',
  'event login',
  'event logout',
  'event private_chat',
  'event private_chat unread_message',
]

export interface Subject {
  name: string
  title: string
  lines: string[]
}

/** The key of the line of an event; the client's `private_chat` also causes unread_message. */
export const eventLine = (name: ClientEvent | SentEvent): string => `event ${name}`

/** Everything that can be covered: 47 endpoints and 8 socket events, with their lines. */
export const subjects: readonly Subject[] = [
  ...endpoints.map(({ number, title, responses }) => ({
    name: String(number),
    title,
    lines: responses.map((response) => `${number} ${response.case}`),
  })),
  ...events.map(({ name, sends }) => ({
    name: eventLine(name),
    title: sends.length === 0 ? 'acknowledged' : `sends ${sends.join(', ')}`,
    lines: (sends.length === 0 ? [name] : sends).map(eventLine),
  })),
]
