import type { Test } from 'tap'
import type { Scope } from './server.ts'

/** Enough to start a dozen servers on a machine that has much else to do, in milliseconds. */
const LONGEST = 300_000

/** Lets a test file take longer than others. */
export function patiently(t: Test): void {
  t.setTimeout(LONGEST)
}

/** A tap test as what cases leave behind what must be undone. */
export function scopeOf(t: Test): Scope {
  return {
    teardown(handler) {
      t.teardown(async () => {
        await handler()
      })
    },
  }
}
