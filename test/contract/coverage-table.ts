import { endpoints } from './contract.ts'
import { events, type ClientEvent, type SentEvent } from './events.ts'

/**
 * The lines that the suite covers: `<endpoint> <case>`, `event <event>`. A line listed here
 * that no test hits is lost and fails the suite, and so does a hit line that is not listed.
 */
export const covered: readonly string[] = [
  '2 登陆成功',
  '2 该用户不存在',
  '2 服务器错误',
  '5 error',
  '5 success',
  '7 暂无数据',
  '7 success',
  '14 参数缺省',
  '14 success',
  '14 error',
  '15 error',
  '15 success',
  '16 success',
  '16 error',
  '17 success',
  '17 error',
  '18 参数缺省',
  '18 success',
  '18 error',
  '19 success',
  '19 error',
  '20 success',
  '20 error',
  '21 success',
  '21 error',
  '22 success',
  '22 error',
  '23 success',
  '23 error',
  '24 success',
  '24 error',
  '25 success',
  '25 error',
  '26 success',
  '26 error',
  '27 error',
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
  '37 未加入该群',
  '37 success',
  '37 暂无更多',
  '37 error',
  '38 error',
  '38 success',
  '39 error',
  '39 success',
  '40 error',
  '40 success',
  '41 error',
  '41 success',
  '42 error',
  '42 success: 文件不需要重新上传',
  '42 success: 文件需要重新上传',
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
  'event group_chat',
  'event group_chat unread_message',
  'event init_apply_notice',
  'event join_group',
  'event logout',
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
