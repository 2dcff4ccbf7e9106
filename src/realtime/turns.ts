/**
 * The turns that storing messages and changing memberships take: so whoever joins or leaves has
 * been sent exactly what was said before, and nothing that was said after.
 */
export interface Turns {
  /** Resolves when it is the caller's turn, in the order of asking; gives what ends the turn. */
  take(): Promise<() => void>
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve()
  return {
    async take() {
      const before = last
      let end: () => void = () => undefined
      last = new Promise((resolve) => (end = resolve))
      await before
      return end
    },
  }
}
