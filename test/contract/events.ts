import { shapeDifferences, valueDifferences, type Expectation } from './compare.ts'
import { at, type Json } from './json.ts'

const user = { _id: '64eec06fa61f50ab31295296', nick: 'wifi歪f', imgUrl: '/user_pic1.jpeg' }
const group = { _id: '65552471a63c59f4e6755e44', groupName: 'wifi群', imgUrl: '/group_pic.png' }
const said = { msgType: 0, message: 'Hh', time: '2023-11-29T01:57:29.000Z', fromId: user._id }
const notices = { friendNoticeNum: 0, groupNoticeNum: 0 }

/**
 * Every event that the server sends, with example arguments; where one event is sent after
 * two different ones, the one that caused it stands first.
 */
export const sent = {
  login: ['<socket id>'],
  private_chat: [{ userId: user, ...said, toId: '64fb10adad117203367263fb' }],
  'private_chat unread_message': [user._id],
  group_chat: [{ userId: user, groupInfo: group, ...said, toId: group._id }],
  'group_chat unread_message': [group._id],
  init_apply_notice: [notices],
  apply_notice: [notices],
  // Explicitly null: otherwise the string that recovery appends would be the argument.
  agree_apply: [null],
} satisfies Record<string, Json[]>

export type SentEvent = keyof typeof sent

/** The eight events of the client, each with what the server sends because of it. */
export const events = [
  { name: 'login', sends: ['login'] },
  { name: 'private_chat', sends: ['private_chat', 'private_chat unread_message'] },
  { name: 'join_group', sends: [] },
  { name: 'group_chat', sends: ['group_chat', 'group_chat unread_message'] },
  { name: 'init_apply_notice', sends: ['init_apply_notice'] },
  { name: 'apply_notice', sends: ['apply_notice'] },
  { name: 'agree_apply', sends: ['agree_apply'] },
  { name: 'logout', sends: [] },
] as const satisfies { name: string; sends: SentEvent[] }[]

export type ClientEvent = (typeof events)[number]['name']

/** How the arguments of a received event differ from the documented ones. */
export function compareEvent(name: SentEvent, args: Json[], expectations?: Expectation): string[] {
  const example: Json[] = sent[name]
  return [
    ...(args.length === example.length
      ? []
      : [`args: ${args.length} arguments, wanted ${example.length}`]),
    ...args
      .slice(0, example.length)
      .flatMap((arg, index) =>
        shapeDifferences(arg, example.slice(index, index + 1), `args[${index}]`),
      ),
    ...(expectations === undefined ? [] : valueDifferences(args, expectations, 'args')),
  ]
}

/** How what an acknowledgement callback received differs from behaviour.md 8. */
export function compareAck(
  event: ClientEvent,
  ack: Json,
  status: number,
  expectations?: Expectation,
): string[] {
  const stored = status === 200 && (event === 'private_chat' || event === 'group_chat')
  const msg = at(ack, 'msg')
  const example = {
    status,
    msg: typeof msg === 'string' && msg !== '' ? msg : '<some text>',
    ...(stored ? { _id: user._id, time: said.time } : {}),
  }
  return [
    ...shapeDifferences(ack, [example], 'ack'),
    ...(expectations === undefined ? [] : valueDifferences(ack, expectations, 'ack')),
  ]
}
