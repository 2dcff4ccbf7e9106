/**
 * The fault suite: every case of `cases/table.ts` at full size, then its controls, on a PostgreSQL
 * of its own. `npm run test:faults -- 42 kills` runs the cases whose names have `kills`, seeded 42.
 */
import { randomInt } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../../src/database/embedded.ts'
import { migrateDatabase } from '../../src/database/migrate.ts'
import { databaseUrl, execute } from '../helpers/databases.ts'
import { runAll } from './suite.ts'

const args = process.argv.slice(2)
const seed = Number(args.find((arg) => /^\d+$/.test(arg)) ?? randomInt(1e6))
const names = args.filter((arg) => !/^\d+$/.test(arg))

const folder = await mkdtemp(join(tmpdir(), 'waifchat-faults-'))
// Started by root, PostgreSQL runs as another user, who must be able to enter.
await chmod(folder, 0o755)
const embedded = await startEmbedded({ dataDir: join(folder, 'data') })
try {
  const template = 'faults_template'
  await execute(embedded.url, `create database ${template}`)
  await migrateDatabase(databaseUrl(embedded.url, template))
  process.env['TEST_DATABASE_URL'] = embedded.url
  process.env['TEST_DATABASE_TEMPLATE'] = template
  process.exitCode = (await runAll(seed, names)) ? 0 : 1
} finally {
  await embedded.stop()
  await rm(folder, { recursive: true, force: true })
}
