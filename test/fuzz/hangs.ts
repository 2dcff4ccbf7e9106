/** Nothing at all within this time is a hang, however busy the machine; in milliseconds. */
export const HANG = 30_000

/** So much longer than a plain request nothing may take, in milliseconds. */
const LONG = 2_000
/** A machine that is busy with other things is not so each time. */
const REPETITIONS = 3

/** Times what is asked of the server, and finds out whether something made it hang. */
export interface Stopwatch {
  readonly sent: number
  /** Milliseconds. */
  readonly slowest: number
  /** Asks, and remembers what took long. */
  time<Answer>(ask: () => Promise<Answer>): Promise<Answer>
  /**
   * Asks again for what took long, now that nothing else is under way. Gives the milliseconds of
   * what each time takes longer than a plain request just before; undefined when there is none.
   */
  hang(plain: () => Promise<unknown>): Promise<number | undefined>
}

/** A stopwatch that has timed nothing. */
export function createStopwatch(): Stopwatch {
  const suspects: (() => Promise<unknown>)[] = []
  const seen = { sent: 0, slowest: 0 }
  return {
    get sent() {
      return seen.sent
    },
    get slowest() {
      return seen.slowest
    },
    async time(ask) {
      const since = performance.now()
      const answer = await ask()
      const took = performance.now() - since
      seen.sent++
      seen.slowest = Math.max(seen.slowest, took)
      if (took > LONG) suspects.push(ask)
      return answer
    },
    async hang(plain) {
      for (const ask of suspects.splice(0)) {
        const longest = await leastExcess(ask, plain)
        if (longest > LONG) return longest
      }
      return undefined
    },
  }
}

/** The least by which something takes longer than a plain request, in milliseconds. */
async function leastExcess(
  ask: () => Promise<unknown>,
  plain: () => Promise<unknown>,
): Promise<number> {
  let least = Infinity
  for (let time = 0; time < REPETITIONS && least > LONG; time++) {
    const usual = await timeOf(plain)
    least = Math.min(least, (await timeOf(ask)) - usual)
  }
  return least
}

async function timeOf(ask: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  await ask()
  return performance.now() - since
}
