import { cases, type Case } from './cases/table.ts'
import type { Outcome, Terms } from './outcome.ts'

/**
 * Runs the cases whose names have one of the given words, or all, each with its controls; prints
 * a line for each. False when one failed.
 */
export async function runAll(seed: number, words: readonly string[]): Promise<boolean> {
  const started = performance.now()
  let passes = 0
  let failures = 0
  const report = (passed: boolean, line: string, examples: readonly string[] = []) => {
    if (passed) passes += 1
    else failures += 1
    console.log(`${passed ? 'pass' : 'FAIL'} | ${line}`)
    for (const example of examples) console.log(`     |   ${example}`)
  }
  console.log(`seed ${seed}`)
  for (const one of cases) {
    if (words.length > 0 && !words.some((word) => one.name.includes(word))) continue
    report(...(await runCase(one, seed)))
    for (const control of one.controls) {
      const outcome = await runControl(one, control, seed)
      report(...outcome)
    }
  }
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${passes} passes, ${failures} failures, ${seconds} s, seed ${seed}`)
  return failures === 0
}

type Line = [passed: boolean, line: string, examples: readonly string[]]

async function runCase(one: Case, seed: number): Promise<Line> {
  try {
    const { findings, figures } = await inScope((scope) => one.full({ ...scope, seed }))
    return [findings.total === 0, `${one.name} | ${figures}`, findings.summary()]
  } catch (error) {
    return [false, `${one.name} | ${String(error)}`, []]
  }
}

async function runControl(
  one: Case,
  control: Case['controls'][number],
  seed: number,
): Promise<Line> {
  const { sabotage, finds } = control
  const name = `${one.name}, control: ${sabotage}`
  try {
    const { findings } = await inScope((scope) => one.small({ ...scope, seed, sabotage }))
    const found = findings.count(finds)
    return [found > 0, `${name} | ${finds}: ${found}`, found > 0 ? [] : findings.summary()]
  } catch (error) {
    return [false, `${name} | ${String(error)}`, []]
  }
}

/** Runs something that leaves things to undo, and undoes them, the last first. */
export async function inScope(
  run: (scope: Pick<Terms, 'teardown'>) => Promise<Outcome>,
): Promise<Outcome> {
  const handlers: (() => Promise<unknown>)[] = []
  try {
    return await run({ teardown: (handler) => void handlers.push(handler) })
  } finally {
    for (const handler of handlers.reverse()) await handler()
  }
}
