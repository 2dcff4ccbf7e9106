import type { Passwords } from '../accounts/passwords.ts'
import type { Session } from '../database/connection.ts'
import type { WireTimes } from '../wire/times.ts'
import type { DumpFile } from './dump/dump.ts'
import type { Erased } from './erased.ts'
import type { Mapping } from './mapping.ts'
import type { Progress } from './progress.ts'
import type { Report } from './report.ts'
import type { TimesOf } from './zones.ts'

/** What is found out before the first step. */
export type RunFacts = 'importId' | 'detailed' | 'erased' | 'timesOf'

/** What every step of an import or a verification works with. */
export interface Run {
  readonly db: Session
  /** Row of `imports`; 0 while verifying. */
  readonly importId: number
  readonly times: WireTimes
  readonly timesOf: TimesOf
  readonly passwords: Passwords
  readonly mapping: Mapping
  readonly files: readonly DumpFile[]
  /** Whether the dump has details of rows, as exports have. */
  readonly detailed: boolean
  readonly erased: Erased
  readonly report: Report
  readonly progress: Progress
}
