/**
 * Random tests are the same every time, so that no change fails by chance. To look further:
 * `TEST_SEED=random TEST_RUNS=100 npm test -- <file>`; to see a failure again: the seed it printed.
 */
import { randomInt } from 'node:crypto'

const { TEST_SEED: given = '20231126', TEST_RUNS: runs } = process.env

/** What decides everything that is random in this process. */
export const SEED = given === 'random' ? randomInt(2 ** 31) : Number(given)
if (!Number.isSafeInteger(SEED)) throw new Error(`TEST_SEED is ${given}: no number, nor random`)

/** Parameters of a fast-check property, which prints the seed when it fails. */
export function seeded(numRuns: number): { seed: number; numRuns: number } {
  return { seed: SEED, numRuns: Number(runs ?? numRuns) }
}
