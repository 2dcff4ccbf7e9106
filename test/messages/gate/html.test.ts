import { readFileSync } from 'node:fs'
import t from 'tap'
import { gate } from '../../../src/messages/gate/gate.ts'
import { gateHtml } from '../../../src/messages/gate/html.ts'
import { kindOf } from '../../../src/messages/kinds.ts'
import { forbiddenInHtml } from './forbidden.ts'
import { htmlAttacks, shown } from './vectors.ts'

await t.test('what the client can produce stays byte for byte', async (t) => {
  const messages = [
    'Hh',
    '你好, 在吗?',
    '🎉👨‍👩‍👧 e\u0301 \u202eabc',
    'a&nbsp;&nbsp;b &lt;script&gt; &amp;amp; &copy',
    '1 < 2 && 3 > 2, <3, <-, a<1, <>, < b>, <中文>',
    'a<br>b<br/>c<br />',
    '<div>first</div><div>second</div><div><br></div>',
    'a<div>b</div>&nbsp;',
    '<p>a</p><span>b</span><b>c</b><i>d</i><u>e</u><em>f</em><strong>g</strong>',
    '<pre><code>x &lt; y</code></pre>',
    '<img src="./gif/17.gif" width="65" height="65">',
    '<img src="./gif/17.gif">',
    '<img src="./gif/0.gif" width="22" height="22">好<img src="./gif/104.gif" width="22" height="22">',
    '<img src="./gif/1.gif" alt="[微笑]">',
    '<img src="./gif/1.gif" alt="">',
    '<img class="emoji" src="./gif/1.gif">',
    '<img data-v-1a2b3c4d="" src="./gif/1.gif" title="微笑" draggable="false">',
    '<img src="/a&amp;b.jpg">',
    "<img src='./gif/1.gif' width='25px' height='25px' class='emoji-img'/>",
    '<img src="/1701695366668-黄鼠狼.jpg" width="120" alt="黄鼠狼">',
    '<a href="https://example.com">https://example.com</a>',
    '<a href="https://example.com/a?b=1&amp;c=2#d" target="_blank">x</a>',
    '<a target="_blank" href="http://127.0.0.1:7878/x.jpg" rel="noopener noreferrer">x</a>',
    '<a href="https://example.com/黄鼠狼">黄鼠狼</a>',
  ]
  for (const message of messages) t.equal(gateHtml(message), message)
})

await t.test('the messages of the document stay byte for byte', async (t) => {
  const source = new URL('../../../spec/contract.json', import.meta.url)
  const messages = messagesIn(JSON.parse(readFileSync(source, 'utf8')))
  t.ok(messages.length > 10)
  for (const { msgType, message } of messages) {
    const kind = kindOf(msgType)
    t.equal(kind && gate(kind, message), message)
  }
})

await t.test('attacks become text that shows what was sent', async (t) => {
  for (const attack of htmlAttacks) {
    const gated = gateHtml(attack)
    t.same(forbiddenInHtml(gated), [], shown(attack))
    t.equal(gated.replaceAll('&lt;', '<'), attack.replaceAll('&lt;', '<'), 'nothing is lost')
    t.equal(gateHtml(gated), gated, 'and nothing happens twice')
  }
})

await t.test('without the gate nearly all of them are found', async (t) => {
  const found = htmlAttacks.filter((attack) => forbiddenInHtml(attack).length > 0)
  t.ok(found.length > htmlAttacks.length * 0.9, `${found.length} of ${htmlAttacks.length}`)
})

function messagesIn(value: unknown): { msgType: number; message: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const { msgType, message } = value as Record<string, unknown>
  const own = typeof msgType === 'number' && typeof message === 'string'
  return [...(own ? [{ msgType, message }] : []), ...Object.values(value).flatMap(messagesIn)]
}
