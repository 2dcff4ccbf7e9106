import t from 'tap'
import { gateMarkdown } from '../../../src/messages/gate/markdown.ts'
import { forbiddenInMarkdown } from './forbidden.ts'
import { markdownAttacks, shown } from './vectors.ts'

await t.test('Markdown stays byte for byte', async (t) => {
  const messages = [
    '# Hello 歪fChat Editor',
    'a < b, if (x <3) x<5; a <- b; a<b',
    '\\<div> \\[a](smb://x) arr[0] (x) [a]: b',
    '![图](https://example.com/x.png "费用 $5 [1]")',
    '**粗** <u>下划线</u> *斜* ~~删~~ H<sub>2</sub>O x<sup>2</sup>',
    '[链接](https://example.com/?a=1&b=2 "title") <https://example.com> <a@example.com>',
    '[mail](mailto:a@example.com) [r][1]\n\n[1]: http://example.com',
    '![图](/1701695366668-黄鼠狼.jpg)\n\n![图](https://example.com/x.png "标题")',
    '- [ ] 任务\n- [x] 完成\n\n1. a\n   - b\n\n> 引用\n\n---',
    '| a | b |\n| --- | :-: |\n| `<td>` | 2 |',
    '`<script>alert(1)</script>` and ``<img src=x onerror=alert(1)> ` ``',
    '```html\n<div onclick="alert(1)">\n  <script>alert(1)</script>\n</div>\n```',
    '~~~c++\n#include <vector>\nstd::vector<int> v;\n~~~',
    'text\n\n    <div>indented</div>\n\ntext',
    '> ```jsx\n> const a = <App />\n> ```',
    '- item\n\n  ```ts\n  const a: Array<string> = []\n  ```',
    '```js [tab:First one]\nx\n```\n```ts [tab:Second]\ny\n```',
    '```mermaid\nflowchart TD\n  A --> B\n  B <--> C\n  D <|-- E\n```',
    '$a < b$ and $$c^2$$\n\n$$\n\\frac{a}{b}\n$$\n\n```html\n<b>$x$</b>\n```',
    '!!! note 标题\n内容 `<b>`\n!!!\n\n```html\n<b>\n```',
    'a line\r\nand another\r\n\r\n`<b>`\r\n',
  ]
  for (const message of messages) {
    t.equal(gateMarkdown(message), message)
    t.same(forbiddenInMarkdown(message), [], message)
  }
})

const wide = `${'|a'.repeat(100)}|\n${'|-'.repeat(100)}|\n${'a\n'.repeat(100)}`
const definitions = '[a]:/b\n'.repeat(400)

await t.test('only what is raw HTML, or leads elsewhere, is changed', async (t) => {
  const changes: [sent: string, stored: string][] = [
    ['a <b>x</b> `<b>`', 'a &lt;b>x&lt;/b> `<b>`'],
    ['<script>x</script>\n\n`<i>`', '&lt;script>x&lt;/script>\n\n`<i>`'],
    ['| a |\n|---|\n| `<i>` <i> `<i>` |', '| a |\n|---|\n| `<i>` &lt;i> `<i>` |'],
    ['> # h <u>x</u> <s>', '> # h <u>x</u> &lt;s>'],
    ['1. ab\n   <img src=x> `<b>`', '1. ab\n   &lt;img src=x> `<b>`'],
    ['```js <x>\n<b>\n```', '```js\n<b>\n```'],
    ['[a](smb://x "t") [b](https://b)', '[a]\\(smb://x "t") [b](https://b)'],
    ['![a](//x/y.png) ![b](/y.png)', '![a]\\(//x/y.png) ![b](/y.png)'],
    ['see [r]\n\n[r]: file:x', 'see [r]\n\n[r]: file:x'],
    ['see [r]\n\n[r]: smb:x', 'see [r]\n\n[r]\\: smb:x'],
    ['$a<b$ `<b>`', '$a< b$ `<b>`'],
    ['```mermaid\nA[x<br/>y]\n```', '```mermaid\nA[x&lt;br/>y]\n```'],
    ['[a](smb://x) `[b](smb://y)` `<i>`', '[a]\\(smb://x) `[b](smb://y)` `<i>`'],
    ['\\<b> <b> \\\\<b>', '\\<b> &lt;b> \\\\&lt;b>'],
    ['vector<int> v; `vector<int>`', 'vector&lt;int> v; `vector<int>`'],
    ['`a\n<i>b`', '`a\n&lt;i>b`'],
    ['![a](https://b/c.png "<b>")', '![a]\\(https://b/c.png "&lt;b>")'],
    ['\u{f0000}<b> `\u{f0001}<b>`', '\u{f0000}&lt;b> `\u{f0001}<b>`'],
    ['a\r\n<b>\r\n', 'a\n&lt;b>\n'],
    ['[`<i>`|`', '[`&lt;i>`|`'],
    ['![x](https://b/c "![y][r]")\n\n[r]: //d', '![x](https://b/c "![y][r]")\n\n[r]\\: //d'],
    ['!!! a` <i> `', '!!! a` &lt;i> `'],
    ['[x](/a/b) [b](/b.png)', '[x]\\(/a/b) [b](/b.png)'],
    ['[x](/%5cevil) `<i>`', '[x]\\(/%5cevil) `<i>`'],
    // Too long to be read again: only blocks are known to be code.
    [
      `${'x '.repeat(9_000)}<b> \`<b>\`\n\`\`\`\n<b>\n\`\`\``,
      `${'x '.repeat(9_000)}&lt;b> \`&lt;b>\`\n\`\`\`\n<b>\n\`\`\``,
    ],
    // These freeze readers, with markup or without.
    [wide, `\`\`\`\n${wide}\n\`\`\``],
    [definitions, `\`\`\`\n${definitions}\n\`\`\``],
  ]
  for (const [sent, stored] of changes) t.equal(gateMarkdown(sent), stored)
})

await t.test('attacks show as text', async (t) => {
  for (const attack of markdownAttacks) {
    const gated = gateMarkdown(attack)
    t.same(forbiddenInMarkdown(gated), [], shown(attack))
    t.equal(gateMarkdown(gated), gated, 'and nothing happens twice')
  }
})

await t.test('without the gate most of them are found', async (t) => {
  const found = markdownAttacks.filter((attack) => forbiddenInMarkdown(attack).length > 0)
  t.ok(found.length > markdownAttacks.length * 0.8, `${found.length} of ${markdownAttacks.length}`)
})
