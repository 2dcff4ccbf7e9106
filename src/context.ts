import type { Logger } from 'pino'
import type { Attempts } from './accounts/attempts.ts'
import type { Passwords } from './accounts/passwords.ts'
import type { Tokens } from './accounts/tokens.ts'
import type { Database } from './database/connection.ts'
import type { Settings } from './settings.ts'
import type { WireTimes } from './wire/times.ts'

/** What the features share; made once in `server.ts` and passed to each of them. */
export interface Context {
  readonly settings: Settings
  readonly log: Logger
  readonly db: Database
  /**
   * Two connections of their own for messages: one stores, one reads what others stored. So they
   * wait neither for requests nor for changes of memberships, which wait for them.
   */
  readonly chatDb: Database
  readonly passwords: Passwords
  readonly attempts: Attempts
  readonly tokens: Tokens
  readonly times: WireTimes
}
