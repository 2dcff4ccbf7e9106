import createParser from 'markdown-it'
import t from 'tap'
import { repeated, worstCases } from './worst-cases.ts'

t.setTimeout(600_000)

/** Ten times the text may take this many times as long; quadratic would be a hundred. */
const MOST_TIMES = 40
/** What is done faster than this is not compared: the clock would be measured. */
const FAST = 2
/** The worst text may take this many times as long as it takes a reader to show a usual one. */
const MOST_OF_USUAL = 3

const article = '## 标题\n\n一段 **粗** 的[正文](https://example.com)。\n\n- `a`\n- b\n\n'
const parser = createParser({ html: true })

for (const { name, gate, seeds, most } of worstCases) {
  await t.test(`${name} takes time in proportion to its length`, async (t) => {
    const usual = cpuTime((text) => parser.render(text), article.repeat(most / article.length))
    const time = (seed: string, length: number) =>
      Math.max(...repeated(seed, length).map((text) => cpuTime(gate, text)))
    // Whoever shares the processor slows one attempt down, not every one of them.
    const slow = seeds.filter((seed) => {
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const long = time(seed, most)
        if (long < FAST) return false
        if (long < MOST_OF_USUAL * usual && long < MOST_TIMES * time(seed, most / 10)) return false
      }
      return true
    })
    t.same(slow, [])
  })
}

/** Milliseconds of the processor, the best of a few attempts. */
function cpuTime(work: (text: string) => unknown, text: string): number {
  const times = Array.from({ length: 2 }, () => {
    const start = process.cpuUsage()
    work(text)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  })
  return Math.min(...times)
}
