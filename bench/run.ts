/** npm run bench: every path beside its floor, and what grows with the history; at most 10 minutes. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { growing, measureGrowth } from './growth.ts'
import { type Cost, cpuTotal, measurePaths } from './http-paths.ts'
import { type BenchCluster, execute, startCluster } from './lib/cluster.ts'
import { median, spread, table } from './lib/table.ts'
import { plot } from './lib/plot.ts'
import { measureChats, measureIdle } from './realtime-paths.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    largest: { type: 'string', default: '10000000' },
  },
})
const rounds = Number(values.rounds)
const sizes = [10_000, 1_000_000, Number(values.largest)].filter(
  (size, index, all) => size > 0 && all.indexOf(size) === index,
)
const started = performance.now()
const say = (line: string) => {
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${String(seconds).padStart(4)} s  ${line}`)
}

const cluster = await startCluster()
try {
  const report = await measure(cluster)
  writeFileSync(new URL('RESULTS.md', import.meta.url), report)
  console.log(`\n${report}`)
} finally {
  await cluster.stop()
}

async function measure(cluster: BenchCluster): Promise<string> {
  const pages = new Map<string, number[]>()
  const urls = new Map<number, string>()
  for (const size of sizes) {
    say(`loading ${size.toLocaleString('en')} messages`)
    const url = await cluster.create(`messages_${size}`, size)
    urls.set(size, url)
    for (const [name, touched] of await measureGrowth(url)) {
      pages.set(name, [...(pages.get(name) ?? []), touched.pages])
    }
  }
  const url = urls.get(1_000_000) ?? [...urls.values()].at(-1) ?? ''
  const version = await execute(url, 'show server_version')

  say('list endpoints')
  const paths = await measurePaths(url, rounds, 1_000)
  say('chat')
  const chats = await measureChats(url, rounds, 2_000)
  say('idle sockets')
  const idle = await measureIdle(url)
  say('done')

  const targets = [2, Infinity, 1.15]
  const rows = [
    ...paths.map(({ path, ours, floor }) => row(path.name, ours, floor, path.target)),
    ...chats.map(({ name, ours, floor }, n) => row(name, ours, floor, targets[n] ?? Infinity)),
  ]
  const growth = growing.map(({ name }) => {
    const touched = pages.get(name) ?? []
    const ratio = (touched.at(-1) ?? NaN) / (touched[0] ?? NaN)
    return [name, ...touched.map(String), ratio.toFixed(2), '1.30']
  })
  writeFileSync(
    new URL('growth.svg', import.meta.url),
    plot(
      'pages touched per request',
      sizes,
      growing.map(({ name }) => ({ name, values: pages.get(name) ?? [] })),
    ),
  )
  const socketRows = [[kib(idle.ours), kib(idle.floor), kib(idle.ours - idle.floor), '3.0 KiB']]
  return `# Benchmark results

Written by \`npm run bench\`. ${machine()}, Node ${process.versions.node}, PostgreSQL ${
    (version.rows[0] as { server_version: string }).server_version
  }, ${git()}.

Each path is measured beside its floor in alternating rounds of one run; medians of ${rounds} rounds,
smallest to largest in brackets. CPU is microseconds a request (for chat a message, for a group a
delivery): of the server process and of all PostgreSQL processes. The ratio is of both together.

${table(
  [
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
  ],
  rows,
)}

## Memory of one more identified, idle socket

${table(['ours', 'bare socket.io', 'difference', 'target'], socketRows)}

## Pages of 8 KiB that a request touches, by messages in the database

${table(['request', ...sizes.map((size) => size.toLocaleString('en')), 'growth', 'target'], growth)}

![pages touched by size](growth.svg)
`
}

function row(
  name: string,
  ours: readonly Cost[],
  floor: readonly Cost[],
  target: number,
): string[] {
  const show = (costs: readonly Cost[], key: keyof Cost, digits = 0) => {
    const numbers = costs.map((cost) => cost[key])
    return `${median(numbers).toFixed(digits)} (${spread(numbers, digits)})`
  }
  return [
    name,
    show(ours, 'server'),
    show(ours, 'database'),
    show(floor, 'server'),
    show(floor, 'database'),
    (cpuTotal(ours) / cpuTotal(floor)).toFixed(2),
    target === Infinity ? '-' : target.toFixed(2),
    median(ours.map(({ perSecond }) => perSecond)).toFixed(0),
    median(floor.map(({ perSecond }) => perSecond)).toFixed(0),
    show(ours, 'p99', 1),
    show(floor, 'p99', 1),
  ]
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}

function machine(): string {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
  return `${os.availableParallelism()} cores (${model ?? os.arch()}), shared and noisy`
}

function git(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  return `commit ${commit}`
}
