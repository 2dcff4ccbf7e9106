import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { LargeFiles } from './file-paths.ts'
import { type Comparison, type Cost, ratioOf } from './lib/compare.ts'
import { median, spread, table } from './lib/table.ts'

/** Everything that a run found out. */
export interface Results {
  readonly rounds: number
  readonly postgres: string
  readonly paths: readonly Comparison[]
  /** CPU microseconds by pgbench; undefined where it is not installed. */
  readonly pgbench: number | undefined
  readonly commit: { readonly median: number; readonly p99: number }
  /** Bytes of one more idle socket. */
  readonly idle: { readonly ours: number; readonly floor: number }
  readonly largeFiles: LargeFiles | undefined
  /** Messages in each database, and the pages that each request touched there. */
  readonly sizes: readonly number[]
  readonly pages: ReadonlyMap<string, readonly number[]>
  /** Pages of the newest page of the longest conversation, and of its last but one. */
  readonly depth: { readonly newest: number; readonly deep: number; readonly page: number }
}

const MEBIBYTE = 1024 * 1024

/** The text of RESULTS.md. */
export function reportOf(results: Results): string {
  const { rounds, paths, pgbench, commit, idle, largeFiles, sizes, pages, depth } = results
  const growth = Array.from(pages, ([name, touched]) => {
    const ratio = (touched.at(-1) ?? NaN) / (touched[0] ?? NaN)
    return [name, ...touched.map(String), ratio.toFixed(2), '1.30']
  })
  return `# Benchmark results

Written by \`npm run bench\`. ${machine()}, Node ${process.versions.node}, PostgreSQL ${
    results.postgres
  }, ${commitOf()}.

Each path is measured beside its floor in alternating rounds of one run; medians of ${rounds} rounds,
smallest to largest in brackets. CPU is microseconds a request (for chat a message, for a group a
delivery): of the server process and of all PostgreSQL processes. The ratio is of both together.

${table(HEAD, paths.map(rowOf))}

PostgreSQL alone, by pgbench with the floor's statement for \`/message/friend\`: ${
    pgbench === undefined ? 'pgbench is not installed' : `${pgbench.toFixed(0)} us of CPU`
  }. A commit of one row alone: ${commit.median.toFixed(1)} ms, p99 ${commit.p99.toFixed(1)} ms.

## Memory

${table(
  ['one more identified, idle socket', 'bare socket.io', 'difference', 'target'],
  [[kib(idle.ours), kib(idle.floor), kib(idle.ours - idle.floor), '3.0 KiB']],
)}

${largeFiles === undefined ? 'Large files were left out.' : largeFilesText(largeFiles)}

## Pages of 8 KiB that a request touches, by messages in the database

${table(['request', ...sizes.map((size) => size.toLocaleString('en')), 'growth', 'target'], growth)}

Of a conversation of 100,000 messages, page 1 touches ${depth.newest} pages of the database and page
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
  return [
    name,
    show(ours, 'server'),
    show(ours, 'database'),
    show(floor, 'server'),
    show(floor, 'database'),
    ratioOf({ ours, floor }).toFixed(2),
    target?.toFixed(2) ?? '-',
    median(ours.map(({ perSecond }) => perSecond)).toFixed(0),
    median(floor.map(({ perSecond }) => perSecond)).toFixed(0),
    show(ours, 'p99', 1),
    show(floor, 'p99', 1),
  ]
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
