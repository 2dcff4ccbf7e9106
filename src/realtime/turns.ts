/** Runs one work at a time, in the order in which they came. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>

/**
 * The turns that storing messages and changing memberships take: so whoever joins or leaves has
 * been sent exactly what was said before, and nothing that was said after.
 */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}
