/** node --import tsx bench/gate.ts: what the gate adds to a message, and the longest that it takes. */
import { gate } from '../src/messages/gate/gate.ts'
import { createLimit } from '../src/wire/limits.ts'
import { repeated, worstCases } from '../test/messages/gate/worst-cases.ts'
import { median, table } from './lib/table.ts'

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
