import fc from 'fast-check'
import { textMessage } from '../contract/people.ts'
import type { ClientEvent } from '../contract/events.ts'
import type { Target } from './target.ts'
import { hostileJson, hostileText, hugeText } from './values.ts'

/** Arguments of an event, most of them nearly right. */
export function hostileArguments(
  event: ClientEvent,
  { people, group }: Target,
): fc.Arbitrary<unknown[]> {
  const user = fc.constantFrom(...people.map(({ id }) => id))
  const message = fc
    .tuple(
      fc.constantFrom(...people),
      fc.oneof(fc.integer({ min: -1, max: 9 }), hostileJson),
      fc.oneof({ weight: 300, arbitrary: hostileJson }, { weight: 1, arbitrary: hugeText }),
    )
    .map(([sender, msgType, text]) => ({ ...textMessage(sender, ''), msgType, message: text }))
  const dataMsg = fc.oneof({ weight: 3, arbitrary: message }, { weight: 1, arbitrary: hostileJson })
  const right: Record<ClientEvent, fc.Arbitrary<unknown>[]> = {
    login: [user],
    private_chat: [dataMsg, user, user],
    join_group: [fc.constant(group)],
    group_chat: [dataMsg, user, fc.constant(group)],
    init_apply_notice: [user],
    apply_notice: [user],
    agree_apply: [user],
    logout: [fc.constant('')],
  }
  const nearly = right[event].map((one) =>
    fc.oneof({ weight: 4, arbitrary: one }, { weight: 1, arbitrary: hostileJson }),
  )
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(...nearly) },
    { weight: 1, arbitrary: fc.array(hostileJson, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.tuple(...nearly).map((args) => args.slice(1)) },
    { weight: 1, arbitrary: fc.tuple(...nearly).map((args) => [...args, ...args]) },
  )
}

const names = fc.constantFrom(
  'login',
  'private_chat',
  'error',
  'connect',
  'disconnect',
  'disconnecting',
  'newListener',
  '__proto__',
  'constructor',
  'toString',
  '5',
  '',
)

/** Frames that no client sends: packets of engine.io and socket.io, broken in the usual places. */
export const hostileFrames: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  {
    weight: 300,
    arbitrary: fc
      .tuple(
        names,
        fc.array(hostileJson, { maxLength: 3 }),
        fc.constantFrom('', '0', '7', '99999999999'),
      )
      .map(([name, args, id]) => `42${id}${JSON.stringify([name, ...args])}`),
  },
  {
    weight: 200,
    arbitrary: fc
      .tuple(names, hostileJson, fc.nat(120))
      .map(([name, arg, length]) => `42${JSON.stringify([name, arg])}`.slice(0, length)),
  },
  {
    weight: 100,
    arbitrary: fc.constantFrom(
      '',
      '0',
      '1',
      '2',
      '2probe',
      '3',
      '4',
      '5',
      '6',
      '7',
      '40',
      '40{}',
      '40{"token":7}',
      '40/admin,',
      '40/__proto__,{}',
      '41',
      '42',
      '42[]',
      '42{}',
      '42"login"',
      '42[5,1]',
      '42[null]',
      '42[["login"]]',
      '42/admin,["login","x"]',
      '430[]',
      '43999999["x"]',
      '44{"message":"x"}',
      '451-["login",{"_placeholder":true,"num":0}]',
      '451-["private_chat",{"_placeholder":true,"num":99}]',
      '45999999999-["login"]',
      '45-1-["login"]',
      '45["login"]',
      '460-[]',
      'b4AAAA',
      '42["login",{"_placeholder":true,"num":0}]',
    ),
  },
  { weight: 50, arbitrary: hostileText },
  { weight: 50, arbitrary: hostileText.map((text) => `4${text}`) },
  { weight: 50, arbitrary: fc.uint8Array({ maxLength: 50 }) },
  { weight: 1, arbitrary: hugeText.map((text) => `42${JSON.stringify(['login', text])}`) },
)
