import { meter } from './cpu.ts'
import { median } from './table.ts'

/** What one round of one side cost. */
export interface Cost {
  /** CPU microseconds a piece of work: of the server process, and of all database processes. */
  readonly server: number
  readonly database: number
  readonly perSecond: number
  /** 99th percentile in milliseconds; NaN where single pieces are not timed. */
  readonly p99: number
}

/** One round of work: how many pieces were done, and in how many milliseconds. */
export interface Round {
  readonly pieces: number
  readonly wall: number
  readonly p99: number
}

/** One side of a comparison: a server process, and what is done to it in a round. */
export interface Side {
  readonly pid: number
  readonly round: () => Promise<Round>
}

/** A path beside its floor. */
export interface Comparison {
  readonly name: string
  /** The most that the path may cost, as a multiple of its floor; undefined for none. */
  readonly target?: number
  readonly ours: readonly Cost[]
  readonly floor: readonly Cost[]
}

/**
 * Measures both sides in turns, so that whatever else the machine does troubles them alike. The
 * first round of each warms up and does not count.
 */
export async function compare(
  databaseUrl: string,
  rounds: number,
  ours: Side,
  floor: Side,
): Promise<Pick<Comparison, 'ours' | 'floor'>> {
  const costs = { ours: [] as Cost[], floor: [] as Cost[] }
  const sides = { ours, floor }
  for (let round = 0; round <= rounds; round += 1) {
    for (const which of ['ours', 'floor'] as const) {
      const side = sides[which]
      const stop = await meter(databaseUrl, side.pid)
      const { pieces, wall, p99 } = await side.round()
      const cpu = await stop()
      if (round === 0) continue
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

/** How many times as much CPU a path takes as its floor, server and database together. */
export function ratioOf({ ours, floor }: Pick<Comparison, 'ours' | 'floor'>): number {
  return cpuTotal(ours) / cpuTotal(floor)
}

function cpuTotal(costs: readonly Cost[]): number {
  return median(costs.map(({ server, database }) => server + database))
}
