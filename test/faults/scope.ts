import type { Test } from 'tap'
import type { Scope } from './server.ts'

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
