import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { LargeFiles } from './file-paths.ts'
import { type Idle, SATURATED, STEADY } from './realtime-paths.ts'
import { type Comparison, type Cost, cpuRatios, speedRatios } from './lib/compare.ts'
import { median, spread, table } from './lib/table.ts'

/** Everything that a run found out. */
export interface Results {
  /** Slices that each side of a path was measured in. */
  readonly slices: number
  /** Seconds that everything took. */
  readonly seconds: number
  readonly postgres: string
  readonly paths: readonly Comparison[]
  /** CPU microseconds by pgbench; undefined where it is not installed. */
  readonly pgbench: number | undefined
  readonly commit: { readonly median: number; readonly p99: number }
  /** Bytes of one more idle socket. */
  readonly idle: { readonly ours: Idle; readonly floor: Idle }
  readonly largeFiles: LargeFiles | undefined
  /** Messages in each database, and the pages that each request touched there. */
  readonly sizes: readonly number[]
  readonly pages: ReadonlyMap<string, readonly number[]>
  /** Statements that each request takes. */
  readonly statements: ReadonlyMap<string, number>
  /** Pages of the newest page of the longest conversation, and of its last but one. */
  readonly depth: { readonly newest: number; readonly deep: number; readonly page: number }
}

const MEBIBYTE = 1024 * 1024
/** How many times as many pages a request may touch with 10 million messages as with 10 thousand. */
export const MOST_GROWTH = 1.3
/** How much more memory an idle socket may take than a bare one, in bytes. */
const IDLE_TARGET = 3 * 1024
/** Messages a second at saturation, as a share of the relay's. */
const SPEED_TARGET = 0.6

/** The text of RESULTS.md. */
export function reportOf(results: Results): string {
  const { slices, seconds, paths, pgbench, commit, idle, largeFiles, sizes, depth } = results
  const growth = Array.from(results.pages, ([name, touched]) => {
    const ratio = Math.max(...touched) / (touched[0] ?? NaN)
    const statements = String(results.statements.get(name))
    return [name, statements, ...touched.map(String), ...judged(ratio, MOST_GROWTH)]
  })
  const more = idle.ours.held - idle.floor.held
  return `# Benchmark results

Written by \`npm run bench\`. ${machine()}, Node ${process.versions.node}, PostgreSQL ${
    results.postgres
  }, ${commitOf()}, ${seconds.toFixed(0)} s in all.

Each path is measured beside its floor, in ${slices} pairs of slices that follow each other; medians, and
in brackets the quarters between which half of the slices lie. CPU is microseconds a request (for chat a
message, for a group a delivery): of the server process and of all PostgreSQL processes. The ratio is of
both together, in each pair.

${table(HEAD, paths.map(rowOf))}

Chat is asked for more than CPU:

${table(['target', 'seen', 'at most or least', ''], chatRows(paths, commit.p99))}

What misses its target is taken apart in [PROFILES.md](PROFILES.md).

PostgreSQL alone, by pgbench with the floor's statement for \`/message/friend\`: ${
    pgbench === undefined ? 'pgbench is not installed' : `${pgbench.toFixed(0)} us of CPU`
  }. A commit of one row alone: ${commit.median.toFixed(1)} ms, p99 ${commit.p99.toFixed(1)} ms.

## Memory

${table(
  ['one more identified, idle socket', 'server', 'bare socket.io', 'difference', 'target', ''],
  [
    [
      'after collecting garbage',
      kib(idle.ours.held),
      kib(idle.floor.held),
      kib(more),
      kib(IDLE_TARGET),
      verdict(more <= IDLE_TARGET),
    ],
    [
      'in RAM',
      kib(idle.ours.resident),
      kib(idle.floor.resident),
      kib(idle.ours.resident - idle.floor.resident),
      '-',
      '',
    ],
  ],
)}

${largeFiles === undefined ? 'Large files were left out.' : largeFilesText(largeFiles)}

## Pages of 8 KiB that a request touches, by messages in the database

${table(
  [
    'request',
    'statements',
    ...sizes.map((size) => size.toLocaleString('en')),
    'growth',
    'target',
    '',
  ],
  growth,
)}

Growth is the most beside the least messages. Of a conversation of 100,000 messages, page 1 touches ${depth.newest} pages of the database and page
${depth.page.toLocaleString('en')} touches ${depth.deep}.

![pages touched by size](growth.svg)
`
}

const HEAD = [
  'path',
  'CPU server',
  'CPU database',
  'floor server',
  'floor database',
  'ratio',
  'target',
  '',
  'a second',
  'floor',
  'p99 ms',
  'floor p99',
]

function rowOf({ name, target, ours, floor }: Comparison): string[] {
  const show = (costs: readonly Cost[], key: keyof Cost, digits = 0) => {
    const numbers = costs.map((cost) => cost[key])
    if (numbers.some(Number.isNaN)) return '-'
    return `${median(numbers).toFixed(digits)} (${spread(numbers, digits)})`
  }
  const ratios = cpuRatios({ ours, floor })
  return [
    name,
    show(ours, 'server'),
    show(ours, 'database'),
    show(floor, 'server'),
    show(floor, 'database'),
    `${median(ratios).toFixed(2)} (${spread(ratios, 2)})`,
    target?.toFixed(2) ?? '-',
    target === undefined ? '' : verdict(median(ratios) <= target),
    median(ours.map(({ perSecond }) => perSecond)).toFixed(0),
    median(floor.map(({ perSecond }) => perSecond)).toFixed(0),
    show(ours, 'p99', 1),
    show(floor, 'p99', 1),
  ]
}

/** What is asked of chat besides CPU. */
function chatRows(paths: readonly Comparison[], commit: number): string[][] {
  const [saturated, steady] = [SATURATED, STEADY].map((wanted) =>
    paths.find(({ name }) => name === wanted),
  )
  if (saturated === undefined || steady === undefined) return []
  const speed = median(speedRatios(saturated))
  const [p99, floor] = [steady.ours, steady.floor].map((costs) =>
    median(costs.map((cost) => cost.p99)),
  )
  const most = (floor ?? NaN) + 2 * commit
  return [
    [
      'messages a second at saturation, of the relay',
      speed.toFixed(2),
      SPEED_TARGET.toFixed(2),
      verdict(speed >= SPEED_TARGET),
    ],
    [
      'p99 at 1,000 a second, in ms: the relay and two commits',
      (p99 ?? NaN).toFixed(1),
      most.toFixed(1),
      verdict((p99 ?? NaN) <= most),
    ],
  ]
}

function judged(ratio: number, target: number): string[] {
  return [ratio.toFixed(2), target.toFixed(2), verdict(ratio <= target)]
}

function verdict(isMet: boolean): string {
  return isMet ? 'met' : '**missed**'
}

function largeFilesText({ before, most, after, merges }: LargeFiles): string {
  const [low, high, end] = [before, most, after].map((bytes) => (bytes / MEBIBYTE).toFixed(0))
  const seconds = merges.map((time) => time.toFixed(1)).join(' and ')
  return (
    `Two files of 1 GiB arrived at once: ${low} MiB before, ${high} MiB at most, ${end} MiB\n` +
    `after. Joining them, both at once, took ${seconds} s.`
  )
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}

function machine(): string {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
  return `${os.availableParallelism()} cores (${model ?? os.arch()}), shared and noisy`
}

function commitOf(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  return `commit ${commit}`
}
