import t from 'tap'
import { gate, gateImported } from '../../../src/messages/gate/gate.ts'

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const jpeg = Buffer.from('ffd8ffe000104a464946', 'hex')
const webp = Buffer.from('524946460400000057454250', 'hex')
const dataUrl = (type: string, bytes: Buffer) =>
  `data:image/${type};base64,${bytes.toString('base64')}`
const withCover = (cover: string) => JSON.stringify({ url: '/a.mp4', cover })

await t.test('what the client sends stays byte for byte', async (t) => {
  const bodies = [
    '{"url":"/1701223063717-fan.jpg","height":110.92592592592594}',
    '{"url":"/1701695366668-黄鼠狼 (1).jpg","height":112.0607787274454,"width":200}',
    '{"fileName":"index.js","size":1192,"fileSuffixName":"js","url":"/adc960a0c14c9a143ca0266005633c53.js"}',
    '{ "url" : "/a" , "fileName": "re: a, b & c.txt", "done": true, "note": null }',
    withCover(dataUrl('png', png)),
    withCover(dataUrl('jpeg', jpeg)),
    withCover(dataUrl('webp', webp)),
    withCover(dataUrl('png', Buffer.concat([png, Buffer.alloc(700 * 1024)]))),
    withCover('data:,'),
    withCover('/1701223063717-cover.png'),
  ]
  for (const body of bodies) {
    for (const kind of ['picture', 'video', 'file'] as const) t.equal(gate(kind, body), body)
  }
})

await t.test('what no client sends is refused', async (t) => {
  const bodies = [
    '',
    'null',
    '[]',
    '"/a"',
    '{"url":"/a"',
    "{'url':'/a'}",
    '{}',
    '{"url":1}',
    '{"url":""}',
    '{"url":"/"}',
    '{"url":"a.jpg"}',
    '{"url":"//evil.example/x"}',
    '{"url":"/a/b"}',
    '{"url":"/..\\\\..\\\\x"}',
    '{"url":"\\\\\\\\evil.example\\\\x"}',
    '{"url":"/a?x=1"}',
    '{"url":"/a#b"}',
    '{"url":"/%2e%2e"}',
    '{"url":"/a\\" onerror=\\"alert(1)"}',
    '{"url":"javascript:alert(1)"}',
    '{"url":"https://evil.example/x.jpg"}',
    '{"url":"file:///etc/passwd"}',
    '{"url":"/a","url":"javascript:alert(1)"}',
    '{"url":"/a","height":1e999}',
    '{"url":"/a","height":-1e999}',
    '{"url":"/a","size":{"x":1}}',
    '{"url":"/a","size":[1]}',
    '{"url":"/a","__proto__":1}',
    '{"url":"/a","constructor":1}',
    '{"url":"/a","on click":1}',
    '{"url":"/a","fileName":"\\ud800"}',
    '{"url":"/a","fileName":"\\u0000"}',
    `{"url":"/a","fileName":"${'x'.repeat(2000)}"}`,
    `{"url":"/a",${Array.from({ length: 20 }, (_, index) => `"k${index}":1`).join()}}`,
    '{"url":"/a","poster":"javascript:alert(1)"}',
    '{"url":"/a","poster":" vbscript:x"}',
    '{"url":"/a","poster":"https://evil.example/x.png"}',
    '{"url":"/a","poster":"//evil.example/x.png"}',
    withCover('data:text/html,<script>alert(1)</script>'),
    withCover('data:image/svg+xml;base64,PHN2Zz4='),
    withCover('data:image/png;base64,PHN2Zz4='),
    withCover('data:image/png;base64,'),
    withCover('data:image/png;base64,iVBORw0KGgo=" onerror="alert(1)'),
  ]
  for (const body of bodies) {
    for (const kind of ['picture', 'video', 'file'] as const) {
      t.equal(gate(kind, body), undefined, body.slice(0, 100))
    }
  }
})

await t.test('what would take long to parse is refused unread', async (t) => {
  for (const seed of ['[', '{"a":', '[0],']) {
    t.equal(gate('picture', `{"url":"/a","x":${seed.repeat(10_000)}`), undefined)
  }
})

await t.test('markup in a name shows as text', async (t) => {
  const body = '{"url":"/a","fileName":"\\u003cimg src=x onerror=alert(1)>.txt","size":1}'
  const stored = '{"url":"/a","fileName":"&lt;img src=x onerror=alert(1)>.txt","size":1}'
  t.equal(gate('file', body), stored)
  t.equal(gate('file', stored), stored)
})

await t.test('call notes are text, or JSON that can be read', async (t) => {
  for (const kind of ['voice_call', 'video_call', 'screen_share'] as const) {
    for (const body of [
      '通话时长 00:12',
      '[语音通话] 已取消',
      '[12:01]',
      '{已取消}',
      '',
      '{"time":"00:12"}',
      '1 < 2',
      '12',
    ]) {
      t.equal(gate(kind, body), body)
    }
    t.equal(gate(kind, '<b>x</b>'), '&lt;b>x&lt;/b>')
    t.equal(gate(kind, '{"time":'), undefined)
    t.equal(gate(kind, '["a"'), undefined)
    t.equal(gate(kind, 'null'), undefined)
  }
})

await t.test('an imported message is never lost', async (t) => {
  t.same(gateImported('text', 'a<br>'), { kind: 'text', body: 'a<br>' })
  t.same(gateImported('markdown', '<b>'), { kind: 'markdown', body: '&lt;b>' })
  const picture = '{"url":"/1701223063717-fan.jpg","height":110.9}'
  t.same(gateImported('picture', picture), { kind: 'picture', body: picture })
  t.same(gateImported('picture', '{"url":"https://x"}<i>'), {
    kind: 'text',
    body: '{"url":"https://x"}&lt;i>',
  })
})
