import { meter } from './cpu.ts'

/** What one slice of one side cost. */
export interface Cost {
  /** CPU microseconds a piece of work: of the server process, and of all database processes. */
  readonly server: number
  readonly database: number
  readonly perSecond: number
  /** 99th percentile in milliseconds; NaN where single pieces are not timed. */
  readonly p99: number
}

/** One slice of work: how many pieces were done, and in how many milliseconds. */
export interface Slice {
  readonly pieces: number
  readonly wall: number
  readonly p99: number
}

/** One side of a comparison: a server process, and what is done to it in a slice. */
export interface Side {
  readonly pid: number
  readonly slice: () => Promise<Slice>
}

/** A path beside its floor. The n-th slices of both sides were measured one after the other. */
export interface Comparison {
  readonly name: string
  /** The most CPU that the path may cost, as a multiple of its floor; undefined for none. */
  readonly target?: number
  readonly ours: readonly Cost[]
  readonly floor: readonly Cost[]
}

/** Slices of each side that warm it up and do not count. */
const WARMING = 3

/**
 * Measures both sides in turns, in slices so short that whatever else the machine does troubles a
 * pair of them alike; which side begins changes from pair to pair.
 */
export async function compare(
  databaseUrl: string,
  slices: number,
  ours: Side,
  floor: Side,
): Promise<Pick<Comparison, 'ours' | 'floor'>> {
  const costs = { ours: [] as Cost[], floor: [] as Cost[] }
  const sides = { ours, floor }
  for (let slice = 1 - WARMING; slice <= slices; slice += 1) {
    const order = slice % 2 === 0 ? (['ours', 'floor'] as const) : (['floor', 'ours'] as const)
    for (const which of order) {
      const side = sides[which]
      const stop = await meter(databaseUrl, side.pid)
      const { pieces, wall, p99 } = await side.slice()
      const cpu = await stop()
      if (slice <= 0) continue
      costs[which].push({
        server: cpu.server / pieces,
        database: cpu.database / pieces,
        perSecond: (pieces * 1000) / wall,
        p99,
      })
    }
  }
  return costs
}

/** How many times as much CPU a path takes as its floor, server and database together: each pair. */
export function cpuRatios(sides: Pick<Comparison, 'ours' | 'floor'>): number[] {
  return ratios(sides, ({ server, database }) => server + database)
}

/** How many times as much it does in a second as its floor: each pair. */
export function speedRatios(sides: Pick<Comparison, 'ours' | 'floor'>): number[] {
  return ratios(sides, ({ perSecond }) => perSecond)
}

function ratios(
  { ours, floor }: Pick<Comparison, 'ours' | 'floor'>,
  of: (cost: Cost) => number,
): number[] {
  return ours.map((cost, pair) => of(cost) / of(floor[pair] as Cost))
}
