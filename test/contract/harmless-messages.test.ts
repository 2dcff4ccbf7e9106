import t, { type Test } from 'tap'
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5'
import { htmlAttacks } from '../messages/gate/vectors.ts'
import { expectAck } from './coverage.ts'
import { createGroup, joinGroup } from './groups.ts'
import { at, type Json, stringAt } from './json.ts'
import { friendsOnline, type Person, textMessage } from './people.ts'
import { serve } from './server.ts'

const server = await serve(t)
const client = server.client()
const { a, b, socketA, socketB } = await friendsOnline(t, client)
const groupId = await createGroup(client, a, '一起')
await joinGroup(client, groupId, b)

const EMOJI = '<img src="./gif/17.gif" width="65" height="65">'
const PICTURE = '{"url":"/1701223063717-fan.jpg","height":110.92592592592594}'

/** What is sent, and what becomes of it; undefined for what is refused. */
const messages: [msgType: number, sent: string, stored: string | undefined][] = [
  // 0 and 4: the forms of the client stay, the rest shows as text.
  ...['1 < 2 && 3 > 2', 'a<br><div>b&nbsp;</div>', `<div>${EMOJI}好</div>`].map(
    (text): [number, string, string] => [0, text, text],
  ),
  [0, 'a<b', 'a&lt;b'],
  [0, '<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)>'],
  [0, `${EMOJI}<svg onload=alert(1)>`, `${EMOJI}&lt;svg onload=alert(1)>`],
  [4, EMOJI, EMOJI],
  [4, EMOJI.replace('17', '../17'), EMOJI.replace('17', '../17').replace('<', '&lt;')],
  // 5: code stays, raw HTML shows as text.
  [5, '`<b>` <b>x</b>', '`<b>` &lt;b>x&lt;/b>'],
  [5, '```html\n<script>alert(1)</script>\n```', '```html\n<script>alert(1)</script>\n```'],
  [5, '[x](javascript:alert(1)) [y](smb://z)', '[x]\\(javascript:alert(1)) [y]\\(smb://z)'],
  // 1 to 3: JSON with the address of a stored file.
  ...[1, 2, 3].flatMap((type): [number, string, string | undefined][] => [
    [type, PICTURE, PICTURE],
    [type, '{"url":"/a.jpg"', undefined],
    [type, '{"url":"https://evil.example/a.jpg"}', undefined],
    [type, '{"url":"javascript:alert(1)"}', undefined],
  ]),
  // 6 to 8: notes of calls.
  ...[6, 7, 8].flatMap((type): [number, string, string | undefined][] => [
    [type, '通话时长 00:12', '通话时长 00:12'],
    [type, '<b>00:12</b>', '&lt;b>00:12&lt;/b>'],
    [type, '{"time":', undefined],
  ]),
]

/** Sends everything on one side and compares what is acknowledged, delivered, stored, and served. */
async function expectGated(
  t: Test,
  event: 'private_chat' | 'group_chat',
  targetId: string,
  history: (viewer: Person) => Promise<Json | undefined>,
): Promise<void> {
  const accepted: { _id: string; msgType: number; message: string }[] = []
  for (const [msgType, sent, stored] of messages) {
    const ack = await socketA.emitWithAck(event, textMessage(a, sent, msgType), a.id, targetId)
    expectAck(t, event, ack, stored === undefined ? 405 : 200)
    if (stored === undefined) continue
    accepted.push({ _id: stringAt(ack, '_id'), msgType, message: stored })
    const [live = null] = await socketB.next(event)
    t.equal(at(live, 'message'), stored, `delivered: ${sent}`)
  }
  for (const viewer of [a, b]) {
    const served = (await history(viewer)) as Json[]
    const found = served.map((one) => {
      return { _id: at(one, '_id'), msgType: at(one, 'msgType'), message: at(one, 'message') }
    })
    t.same(found, accepted.slice(-20), 'the same is served, and nothing of what was refused')
    const list = (await client.get('/message/list', { userId: viewer.id })).body
    const entry = (at(list, 'data') as Json[]).find((one) =>
      [a.id, b.id, groupId].includes(stringAt(one, '_id')),
    )
    t.equal(at(entry, 'lastMsg', 'message'), accepted.at(-1)?.message)
  }
}

await t.test('private messages are stored and delivered in their harmless form', (t) =>
  expectGated(t, 'private_chat', b.id, async (viewer) => {
    const friendId = viewer === a ? b.id : a.id
    const query = { userId: viewer.id, friendId, pageNum: 1 }
    return at((await client.get('/message/friend', query)).body, 'data', 'messageList')
  }),
)

await t.test('group messages are stored and delivered in their harmless form', (t) =>
  expectGated(t, 'group_chat', groupId, async (viewer) => {
    const query = { userId: viewer.id, groupId, pageNum: 1 }
    return at((await client.get('/message/group', query)).body, 'data', 'messageList')
  }),
)

const HARMLESS = new Set(['a', 'b', 'br', 'div', 'img', 'p', 'span'])

await t.test('well-known attacks arrive as text', async (t) => {
  const sendable = htmlAttacks.filter((attack) => !attack.includes('\0'))
  for (const attack of sendable) {
    socketA.emit('private_chat', textMessage(a, attack), a.id, b.id)
    const [live = null] = await socketB.next('private_chat')
    const message = stringAt(live, 'message')
    t.equal(message.replaceAll('&lt;', '<'), attack.replaceAll('&lt;', '<'), 'all of it shows')
    const left = elementsIn(parseFragment(message)).filter((name) => !HARMLESS.has(name))
    t.same(left, [], attack)
  }
})

function elementsIn({ childNodes }: DefaultTreeAdapterTypes.ParentNode): string[] {
  return childNodes.flatMap((child) =>
    'tagName' in child ? [child.tagName, ...elementsIn(child)] : [],
  )
}
