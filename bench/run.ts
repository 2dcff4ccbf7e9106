/** npm run bench: every path beside its floor, and what grows with the history; at most 10 minutes. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureFiles } from './file-paths.ts'
import { growing, measureDepth, measureGrowth } from './growth.ts'
import { measurePaths } from './http-paths.ts'
import { type BenchCluster, execute, startCluster } from './lib/cluster.ts'
import { plots } from './lib/plot.ts'
import { measureCommit, measurePgbench } from './pgbench.ts'
import { measureChats, measureIdle } from './realtime-paths.ts'
import { MOST_GROWTH, reportOf, type Results } from './report.ts'

const { values } = parseArgs({
  options: {
    slices: { type: 'string', default: '24' },
    largest: { type: 'string', default: '10000000' },
    'skip-large-files': { type: 'boolean', default: false },
  },
})
const mostSlices = Number(values.slices)
/** Of one side of a list endpoint, and of chat, in milliseconds. */
const SLICE = 250
const CHAT_SLICE = 400
/** Everything together may take this many seconds. */
const LONGEST = 600
/** Of them, what is neither loading nor slices takes this many; and a slice of every path so many. */
const BESIDES = 110
const SECONDS_A_SLICE = 8
const LEAST_SLICES = 8
/** The paths are measured in the middle one. */
const USUAL = 1_000_000
const sizes = [10_000, USUAL, Number(values.largest)]
  .filter((size, index, all) => size > 0 && all.indexOf(size) === index)
  .sort((one, other) => one - other)
const started = performance.now()
const say = (line: string) => {
  console.log(`${secondsSince(started).toFixed(0).padStart(4)} s  ${line}`)
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000
}

/** Slices for which there is time yet: a slow machine, which took long to load, measures fewer. */
function slicesLeft(): number {
  const left = Math.floor((LONGEST - BESIDES - secondsSince(started)) / SECONDS_A_SLICE)
  return Math.max(LEAST_SLICES, Math.min(mostSlices, left))
}

/** What loading left to do must not go on while something else is measured. */
async function settle(url: string): Promise<void> {
  await execute(url, 'checkpoint')
  execFileSync('sync')
}

const cluster = await startCluster()
try {
  const measured = await measure(cluster)
  const results = { ...measured, seconds: secondsSince(started) }
  const report = reportOf(results)
  writeFileSync(new URL('RESULTS.md', import.meta.url), report)
  writeFileSync(
    new URL('growth.svg', import.meta.url),
    plots(
      sizes,
      Array.from(results.pages, ([name, values]) => ({ name, values })),
      MOST_GROWTH,
    ),
  )
  say('done')
  console.log(`\n${report}`)
  if (results.seconds > LONGEST) {
    console.error(`It took longer than ${LONGEST} s.`)
    process.exitCode = 1
  }
} finally {
  await cluster.stop()
}

async function measure(cluster: BenchCluster): Promise<Omit<Results, 'seconds'>> {
  const statements = new Map<string, number>()
  const pages = new Map<string, number[]>(growing.map(({ name }) => [name, []]))
  let url = ''
  for (const size of sizes) {
    say(`loading ${size.toLocaleString('en')} messages`)
    const loaded = await cluster.create(`messages_${size}`, size)
    if (size <= USUAL) url = loaded
    for (const [name, touched] of await measureGrowth(loaded)) {
      pages.get(name)?.push(touched.pages)
      statements.set(name, touched.statements)
    }
  }
  const { rows } = await execute(url, 'show server_version')
  const postgres = (rows[0] as { server_version: string }).server_version
  const depth = await measureDepth(url)
  const pgbench = await measurePgbench(url)
  const commit = await measureCommit(url)

  await settle(url)
  const slices = slicesLeft()
  say('list endpoints')
  const lists = await measurePaths(url, slices, SLICE)
  say('chat')
  const chats = await measureChats(url, slices, CHAT_SLICE)
  say('idle sockets')
  const idle = await measureIdle(url)
  say('files')
  const files = await measureFiles(url, slices, !values['skip-large-files'])
  const paths = [...lists, ...chats, ...files.paths]
  const { largeFiles } = files
  const data = { sizes, pages, statements, depth }
  return { slices, postgres, paths, pgbench, commit, idle, largeFiles, ...data }
}
