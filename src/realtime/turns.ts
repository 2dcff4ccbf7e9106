/**
 * The turns that storing messages and changing memberships take: so whoever joins or leaves has
 * been sent exactly what was said before, and nothing that was said after.
 */
export interface Turns {
  /** Resolves when it is the caller's turn, in the order of asking; gives what ends the turn. */
  take(): Promise<() => void>
  /** Whether somebody waits for the turn of now to end. */
  readonly areWanted: boolean
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve()
  let asked = 0
  return {
    take() {
      asked += 1
      const before = last
      return new Promise((resolve) => {
        last = new Promise((ended) => {
          const end = () => {
            asked -= 1
            ended()
          }
          void before.then(() => resolve(end))
        })
      })
    },
    get areWanted() {
      return asked > 1
    },
  }
}
