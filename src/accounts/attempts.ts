import { isLoopback } from '../settings.ts'
import { networkOf } from '../wire/limits.ts'

/** Failures are forgotten this long after the first of them, in milliseconds. */
const FORGOTTEN_AFTER = 15 * 60_000
/** After the free failures each one costs a wait, twice as long as the one before. */
const FIRST_WAIT = 1_000
const LONGEST_WAIT = FORGOTTEN_AFTER
/** Many people may be behind one address, so it may fail this many times as often. */
const PEOPLE_AT_AN_ADDRESS = 20
const MOST_REMEMBERED = 10_000
/** Attempts at one account from one address that may wait for each other. */
const MOST_WAITING = 64

/** Attempts to log in, of which some are refused without looking at the password. */
export interface Attempts {
  /**
   * Whether a password is right, or `refused` when too many were not. Attempts at one account from
   * one address are made one after the other, so that many at once count like many in a row.
   */
  attempt(
    accountId: string,
    address: string,
    isRight: () => Promise<boolean>,
  ): Promise<boolean | 'refused'>
  /** Whether somebody at this address may ask for an account that does not exist; it counts. */
  attemptUnknown(address: string): boolean
}

/**
 * Failures are counted per account and address, and per address of another machine. They are not
 * counted per account alone: then anybody could keep its owner out.
 *
 * @param free failures that cost no wait; 0 for no counting
 */
export function createAttempts(free: number, now = () => performance.now()): Attempts {
  if (free === 0) {
    return { attempt: async (_account, _address, isRight) => isRight(), attemptUnknown: () => true }
  }
  const atAccounts = createFailures(free, now)
  const atAddresses = createFailures(free * PEOPLE_AT_AN_ADDRESS, now)
  const turns = new Map<string, { last: Promise<unknown>; waiting: number }>()

  function failedAt(network: string): void {
    if (!isLoopback(network)) atAddresses.add(network)
  }

  async function inTurn(
    key: string,
    work: () => Promise<boolean | 'refused'>,
  ): Promise<boolean | 'refused'> {
    const turn = turns.get(key) ?? { last: Promise.resolve(), waiting: 0 }
    if (turn.waiting >= MOST_WAITING) return 'refused'
    turns.set(key, turn)
    turn.waiting += 1
    const mine = turn.last.then(work)
    turn.last = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      turn.waiting -= 1
      if (turn.waiting === 0) turns.delete(key)
    }
  }

  return {
    attempt(accountId, address, isRight) {
      const network = networkOf(address)
      const key = `${accountId} ${network}`
      return inTurn(key, async () => {
        if (atAccounts.mustWait(key) || atAddresses.mustWait(network)) return 'refused'
        const right = await isRight()
        if (right) {
          atAccounts.forget(key)
          return true
        }
        atAccounts.add(key)
        failedAt(network)
        return false
      })
    },
    attemptUnknown(address) {
      const network = networkOf(address)
      if (atAddresses.mustWait(network)) return false
      failedAt(network)
      return true
    },
  }
}

interface Failures {
  mustWait(key: string): boolean
  add(key: string): void
  forget(key: string): void
}

interface Failure {
  count: number
  readonly since: number
  until: number
}

function createFailures(free: number, now: () => number): Failures {
  /** Those that cost nothing yet, and those that cost a wait; the last that failed at the end. */
  const cheap = new Map<string, Failure>()
  const costly = new Map<string, Failure>()

  function current(key: string): Failure | undefined {
    const entry = costly.get(key) ?? cheap.get(key)
    if (entry === undefined) return undefined
    const time = now()
    if (time < entry.until || time - entry.since < FORGOTTEN_AFTER) return entry
    forget(key)
    return undefined
  }

  function forget(key: string): void {
    cheap.delete(key)
    costly.delete(key)
  }

  // Nobody gets rid of a wait by failing elsewhere: what costs none is forgotten first.
  function makeRoom(): void {
    if (cheap.size + costly.size < MOST_REMEMBERED) return
    const [first] = costly.keys()
    if (first !== undefined && current(first) === undefined) return
    const [oldest = first] = cheap.keys()
    if (oldest !== undefined) forget(oldest)
  }

  return {
    mustWait: (key) => now() < (current(key)?.until ?? -Infinity),
    add(key) {
      const entry = current(key) ?? { count: 0, since: now(), until: -Infinity }
      forget(key)
      makeRoom()
      entry.count += 1
      if (entry.count < free) {
        cheap.set(key, entry)
        return
      }
      entry.until = now() + Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (entry.count - free))
      costly.set(key, entry)
    },
    forget,
  }
}
