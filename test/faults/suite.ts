import type { Case, Control } from './cases/table.ts'
import type { Outcome, Terms } from './outcome.ts'

/** Runs cases at full size, each with its controls; prints a line for each. False when one failed. */
export async function runCases(cases: readonly Case[], seed: number): Promise<boolean> {
  let passed = true
  for (const one of cases) {
    passed = (await report(() => runCase(one, seed))) && passed
    for (const control of one.controls) {
      passed = (await report(() => runControl(one, control, seed))) && passed
    }
  }
  return passed
}

interface Result {
  readonly passed: boolean
  readonly line: string
  readonly examples?: readonly string[]
}

async function report(run: () => Promise<Result>): Promise<boolean> {
  const started = performance.now()
  const { passed, line, examples = [] } = await run()
  const seconds = Math.round((performance.now() - started) / 1000)
  const verdict = passed ? 'pass' : 'FAIL'
  console.log([`${verdict} | ${line} | ${seconds} s`, ...examples].join('\n     |   '))
  return passed
}

async function runCase({ name, full }: Case, seed: number): Promise<Result> {
  try {
    const { findings, figures } = await inScope((scope) => full({ ...scope, seed }))
    return {
      passed: findings.total === 0,
      line: `${name} | ${figures}`,
      examples: findings.summary(),
    }
  } catch (error) {
    return { passed: false, line: `${name} | ${String(error)}` }
  }
}

/** A control passes when the auditor finds what the missing protection would have prevented. */
async function runControl(
  { name, small }: Case,
  { sabotage, finds }: Control,
  seed: number,
): Promise<Result> {
  const what = `${name}, control ${sabotage}`
  try {
    const { findings } = await inScope((scope) => small({ ...scope, seed, sabotage }))
    const found = findings.count(finds)
    const line = `${what} | ${finds}: ${found}`
    return found > 0
      ? { passed: true, line }
      : { passed: false, line, examples: findings.summary() }
  } catch (error) {
    return { passed: false, line: `${what} | ${String(error)}` }
  }
}

/** Runs something that leaves things to undo, and undoes them, the last first. */
async function inScope(
  run: (scope: Pick<Terms, 'teardown'>) => Promise<Outcome>,
): Promise<Outcome> {
  const handlers: (() => Promise<unknown>)[] = []
  try {
    return await run({ teardown: (handler) => void handlers.push(handler) })
  } finally {
    for (const handler of handlers.reverse()) await handler()
  }
}
