import { isIPv6 } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { isLoopback } from '../settings.ts'
import { TOO_MANY } from './answers.ts'

/** A limit of so many a second lets through so many seconds' worth at once. */
const BURST_SECONDS = 20
/** Whoever asks for this many times more than that is not slowed down any more, but cut off. */
const FAR_OVER = 10
/** Whoever is forgotten begins anew, so forgetting harms nobody. */
const MOST_REMEMBERED = 10_000

/** Within the limit, over it, or so far over it that nobody does that by mistake. */
export type Verdict = 'within' | 'over' | 'far over'

/** How much one asker may ask for: what was not used is saved up, to a point. */
export interface Allowance {
  /** Asks for something that costs as much as `cost` usual things. */
  take(cost?: number): Verdict
}

/** An allowance for each asker, by whatever tells them apart. */
export interface Limit {
  take(asker: string, cost?: number): Verdict
}

/**
 * @param perSecond how much is saved up each second; 0 for no limit
 * @param now milliseconds that only grow
 */
export function createAllowance(perSecond: number, now = () => performance.now()): Allowance {
  if (perSecond === 0) return { take: () => 'within' }
  const most = perSecond * BURST_SECONDS
  let saved = most
  let refused = 0
  let since = now()
  return {
    take(cost = 1) {
      const time = now()
      const earned = ((time - since) / 1000) * perSecond
      since = time
      saved = Math.min(most, saved + earned)
      refused = Math.max(0, refused - earned)
      if (saved >= cost) {
        saved -= cost
        return 'within'
      }
      refused += cost
      return refused > most * FAR_OVER ? 'far over' : 'over'
    },
  }
}

/** An allowance of `perSecond` for each asker; 0 for no limit. */
export function createLimit(perSecond: number, now?: () => number): Limit {
  if (perSecond === 0) return { take: () => 'within' }
  const allowances = new Map<string, Allowance>()
  return {
    take(asker, cost) {
      const allowance = allowances.get(asker) ?? createAllowance(perSecond, now)
      remember(allowances, asker, allowance, MOST_REMEMBERED)
      return allowance.take(cost)
    },
  }
}

/** Keeps an entry in a map that may hold so many; the one that was not used for longest makes room. */
export function remember<Entry>(
  map: Map<string, Entry>,
  key: string,
  entry: Entry,
  most: number,
): void {
  map.delete(key)
  map.set(key, entry)
  if (map.size <= most) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

/** How many of something each asker has. */
export interface Counts {
  of(asker: string): number
  change(asker: string, by: number): void
}

export function createCounts(): Counts {
  const counts = new Map<string, number>()
  return {
    of: (asker) => counts.get(asker) ?? 0,
    change(asker, by) {
      const count = (counts.get(asker) ?? 0) + by
      if (count === 0) counts.delete(asker)
      else counts.set(asker, count)
    },
  }
}

/** A limit per address: one that was set holds for everybody, the usual one for other machines. */
export interface AddressLimit {
  readonly most: number
  readonly onLoopback: boolean
}

/**
 * What tells askers apart by address; undefined where the limit does not hold.
 *
 * @param address undefined for a connection that its client has already broken off
 */
export function askerAt(
  address: string | undefined,
  { most, onLoopback }: AddressLimit,
): string | undefined {
  if (address === undefined) return undefined
  const plain = address.replace(/^::ffff:/, '')
  return most === 0 || (!onLoopback && isLoopback(plain)) ? undefined : networkOf(plain)
}

/** Whoever has one IPv6 address has 2^64 of them. Empty for a connection that was broken off. */
export function networkOf(address = ''): string {
  const plain = address.replace(/^::ffff:/, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.split('::')
  const groups = head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  const filled = [...groups, ...Array<string>(Math.max(0, missing)).fill('0')]
  return filled.slice(0, 4).join(':')
}

/** Answers requests over the limit of their address with 429 in a body, before they are read. */
export function limitRequests(app: FastifyInstance, perSecond: AddressLimit): void {
  const limit = createLimit(perSecond.most)
  app.addHook('onRequest', ({ ip }, reply, done) => {
    const asker = askerAt(ip, perSecond)
    if (asker !== undefined && limit.take(asker) !== 'within') void reply.send(TOO_MANY)
    else done()
  })
}
