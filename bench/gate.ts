/**
 * node --import tsx bench/gate.ts: what the gate adds to a message, and the longest that it takes.
 * With `--search 60` it looks so many seconds for Markdown that takes longer than the worst known.
 */
import { parseArgs } from 'node:util'
import { gate } from '../src/messages/gate/gate.ts'
import { createLimit } from '../src/wire/limits.ts'
import { repeated, worstCases } from '../test/messages/gate/worst-cases.ts'
import { median, table } from './lib/table.ts'

const { values } = parseArgs({ options: { search: { type: 'string', default: '0' } } })
const ROUNDS = 9
const TIMES = 20_000

const picture = '{"url":"/1701223063717-fan.jpg","height":110.92592592592594}'
const usual = {
  'text, 5 characters': () => gate('text', '你好, 在吗'),
  'text, 200 characters': () => gate('text', '今天天气很好'.repeat(33)),
  'text, 20,000 characters': () => gate('text', '今天天气很好'.repeat(3_333)),
  'lines and an emoji': () =>
    gate('text', '<div>a</div><div><img src="./gif/17.gif" width="22" height="22">b</div>'),
  emoji: () => gate('emoji', '<img src="./gif/17.gif" width="65" height="65">'),
  picture: () => gate('picture', picture),
  'Markdown without markup': () => gate('markdown', '# 标题\n\n**粗** 正文 `code`'),
  'Markdown with code': () => gate('markdown', '# 标题\n\n```ts\nconst a: Array<string> = []\n```'),
}

const limit = createLimit(1_000_000)
const costs = { ...usual, 'allowance of a user': () => limit.take('6561dbf57a5a03f6f0f6a3f5') }
const rows = Object.entries(costs).map(([name, work]) => [name, microseconds(work).toFixed(2)])
console.log(table(['message', 'us'], rows))

const worst = worstCases.map(({ name, gate, seeds, most }) => {
  const times = seeds.map((seed): [number, string] => {
    const times = repeated(seed, Math.min(most, 100_000)).map((text) =>
      Math.min(...Array.from({ length: 5 }, () => cpuTime(() => gate(text)))),
    )
    return [Math.max(...times), seed]
  })
  const [time, seed] = times.reduce((one, other) => (other[0] > one[0] ? other : one))
  return [name, String(Math.min(most, 100_000)), JSON.stringify(seed), (time / 1000).toFixed(1)]
})
console.log(`\n${table(['worst case', 'characters', 'of', 'ms'], worst)}`)

if (Number(values.search) > 0) search(Number(values.search))

/** Prints the slowest of what random pieces give when they are repeated, each timed alone again. */
function search(seconds: number): void {
  const [markdown] = worstCases.filter(({ name }) => name === 'Markdown')
  if (markdown === undefined) return
  const random = <Item>(items: readonly Item[]) =>
    items[Math.floor(Math.random() * items.length)] as Item
  const pieces = [
    ...markdown.seeds.map((seed) => seed.replace('[x](smb:) ', '')),
    ..."a ab ( ) [ ] ! # = - + * _ : ; & ' | { } ~ ^ % @ / ? . 1 \t 中 😀 &amp; &#1; [^1] *** )( ](<".split(
      ' ',
    ),
  ]
  const found: { time: number; text: string; seed: string }[] = []
  const end = performance.now() + seconds * 1000
  let tried = 0
  for (; performance.now() < end; tried += 1) {
    const seed = Array.from({ length: random([1, 2, 3]) }, () => random(pieces)).join('')
    const length = random([16_384, markdown.most])
    const times = Math.min(
      random([50, 150, 300, 700, 1_500, 6_000, Infinity]),
      Math.ceil(length / seed.length),
    )
    const text = `[x](smb:) ${seed.repeat(times)}`
      .slice(0, length)
      .padEnd(length, random(['x', ' ']))
    found.push({ time: cpuTime(() => markdown.gate(text)), text, seed: `${times} ${seed}` })
    found.sort((one, other) => other.time - one.time).splice(20)
  }
  // Once each is soon said of a moment in which the machine was busy, or collected garbage.
  const slowest = found
    .map(({ text, seed }): [string, number] => [
      JSON.stringify(seed),
      Math.min(...Array.from({ length: 9 }, () => cpuTime(() => markdown.gate(text)))),
    ])
    .sort(([, one], [, other]) => other - one)
    .map(([seed, time]) => [seed, (time / 1000).toFixed(1)])
  console.log(`\n${tried} tried\n\n${table(['repeated', 'ms'], slowest.slice(0, 5))}`)
}

/** The middle of some rounds. */
function microseconds(work: () => unknown): number {
  const repeat = () => {
    for (let time = 0; time < TIMES; time += 1) work()
  }
  return median(Array.from({ length: ROUNDS }, () => cpuTime(repeat))) / TIMES
}

/** Microseconds of the processor: other processes are not counted. */
function cpuTime(work: () => unknown): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return user + system
}
