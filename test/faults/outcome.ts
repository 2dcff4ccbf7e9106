import type { Findings } from './auditor.ts'
import type { SabotageName } from './sabotages.ts'
import type { Scope } from './server.ts'

/** What a case is run with. */
export interface Terms extends Scope {
  readonly seed: number
  /** What is taken away from the server, in a control. */
  readonly sabotage?: SabotageName | undefined
}

/** What came of it. */
export interface Outcome {
  readonly findings: Findings
  /** What was done and measured, in words. */
  readonly figures: string
}
