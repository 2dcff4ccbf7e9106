/** Runs the cases of one lane, one after the other: started by `run.ts` with the lane and the seed. */
import { cases } from './cases/table.ts'
import { runCases } from './suite.ts'

const [lane, seed, ...names] = process.argv.slice(2)
const mine = cases.filter((one) => one.lane === lane && names.includes(one.name))
// A case that failed may have left something running.
process.exit((await runCases(mine, Number(seed))) ? 0 : 1)
