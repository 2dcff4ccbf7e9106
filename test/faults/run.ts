/**
 * The fault suite: every case of `cases/table.ts` at full size, then its controls, on a PostgreSQL
 * of its own. `npm run test:faults -- 42 killed` runs the cases whose names have `killed`, seed 42.
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startEmbedded } from '../../src/database/embedded.ts'
import { migrateDatabase } from '../../src/database/migrate.ts'
import { databaseUrl, execute } from '../helpers/databases.ts'
import { cases, lanes } from './cases/table.ts'

const args = process.argv.slice(2)
const seed = args.find((arg) => /^\d+$/.test(arg)) ?? String(randomInt(1e6))
const words = args.filter((arg) => !/^\d+$/.test(arg))
const chosen = cases
  .map(({ name }) => name)
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))

const started = performance.now()
console.log(`seed ${seed}`)
const folder = await mkdtemp(join(tmpdir(), 'waifchat-faults-'))
// Started by root, PostgreSQL runs as another user, who must be able to enter.
await chmod(folder, 0o755)
const embedded = await startEmbedded({ dataDir: join(folder, 'data') })
const template = 'faults_template'
try {
  await execute(embedded.url, `create database ${template}`)
  await migrateDatabase(databaseUrl(embedded.url, template))
  const codes = await Promise.all(lanes.map(runLane))
  const passed = codes.every((code) => code === 0)
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${passed ? 'passed' : 'FAILED'} in ${seconds} s, seed ${seed}`)
  process.exitCode = passed ? 0 : 1
} finally {
  await embedded.stop()
  await rm(folder, { recursive: true, force: true })
}

/** A process for each lane: the load of one must not hold up the clocks of the other. */
async function runLane(lane: string): Promise<number | null> {
  const file = fileURLToPath(new URL('lane.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', file, lane, seed, ...chosen], {
    stdio: 'inherit',
    env: {
      ...process.env,
      TEST_DATABASE_URL: embedded.url,
      TEST_DATABASE_TEMPLATE: template,
    },
  })
  await once(child, 'exit')
  return child.exitCode
}
