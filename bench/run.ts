/** npm run bench: every path beside its floor, and what grows with the history; at most 10 minutes. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureFiles } from './file-paths.ts'
import { growing, measureDepth, measureGrowth } from './growth.ts'
import { measurePaths } from './http-paths.ts'
import { type BenchCluster, execute, startCluster } from './lib/cluster.ts'
import { plot } from './lib/plot.ts'
import { measureCommit, measurePgbench } from './pgbench.ts'
import { measureChats, measureIdle } from './realtime-paths.ts'
import { reportOf, type Results } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    largest: { type: 'string', default: '10000000' },
    'skip-large-files': { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
/** The paths are measured in the middle one. */
const USUAL = 1_000_000
const sizes = [10_000, USUAL, Number(values.largest)]
  .filter((size, index, all) => size > 0 && all.indexOf(size) === index)
  .sort((one, other) => one - other)
const started = performance.now()
const say = (line: string) => {
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${String(seconds).padStart(4)} s  ${line}`)
}

const cluster = await startCluster()
try {
  const results = await measure(cluster)
  const report = reportOf(results)
  writeFileSync(new URL('RESULTS.md', import.meta.url), report)
  writeFileSync(
    new URL('growth.svg', import.meta.url),
    plot(
      'pages touched per request',
      sizes,
      Array.from(results.pages, ([name, values]) => ({ name, values })),
    ),
  )
  say('done')
  console.log(`\n${report}`)
} finally {
  await cluster.stop()
}

async function measure(cluster: BenchCluster): Promise<Results> {
  const pages = new Map<string, number[]>(growing.map(({ name }) => [name, []]))
  let url = ''
  for (const size of sizes) {
    say(`loading ${size.toLocaleString('en')} messages`)
    const loaded = await cluster.create(`messages_${size}`, size)
    if (size <= USUAL) url = loaded
    for (const [name, touched] of await measureGrowth(loaded)) {
      pages.get(name)?.push(touched.pages)
    }
  }
  const { rows } = await execute(url, 'show server_version')
  const postgres = (rows[0] as { server_version: string }).server_version
  const depth = await measureDepth(url)
  const pgbench = await measurePgbench(url)
  const commit = await measureCommit(url)

  say('list endpoints')
  const lists = await measurePaths(url, rounds, 1_000)
  say('chat')
  const chats = await measureChats(url, rounds, 2_000)
  say('idle sockets')
  const idle = await measureIdle(url)
  say('files')
  const files = await measureFiles(url, rounds, !values['skip-large-files'])
  const paths = [...lists, ...chats, ...files.paths]
  const { largeFiles } = files
  return { rounds, postgres, paths, pgbench, commit, idle, largeFiles, sizes, pages, depth }
}
