import type { Test } from 'tap'
import { cases } from './cases/table.ts'
import { patiently, scopeOf } from './scope.ts'

/** Always the same, so that what fails fails again. */
const SEED = 1

/** The cases with these names, at their small size: `npm run test:faults` has them whole. */
export async function testCases(t: Test, names: readonly string[]): Promise<void> {
  patiently(t)
  for (const { name, small } of cases.filter((one) => names.includes(one.name))) {
    await t.test(name, async (t) => {
      const { findings, figures } = await small({ ...scopeOf(t), seed: SEED })
      t.comment(figures)
      t.same(findings.summary(), [])
    })
  }
}
