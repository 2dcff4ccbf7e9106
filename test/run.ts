/**
 * Runs the tests on a real PostgreSQL that it starts for them (or on the one of DATABASE_URL):
 * a migrated template that every test file copies, then the contract's coverage.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../src/database/embedded.ts'
import { migrateDatabase } from '../src/database/migrate.ts'
import { checkCoverage, formatCoverage } from './contract/coverage.ts'
import { databaseUrl, execute } from './helpers/databases.ts'

const files = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'waifchat-test-'))
// Started by root, PostgreSQL runs as another user, who must be able to enter.
await chmod(folder, 0o755)
const coverageDir = join(folder, 'coverage')
const template = `template_${randomBytes(6).toString('hex')}`

const given = process.env.DATABASE_URL
const embedded = given
  ? undefined
  : await startEmbedded({
      dataDir: join(folder, 'data'),
      // The cluster is thrown away; nothing else differs from the one that users get.
      settings: { fsync: 'off' },
    })
const serverUrl = embedded?.url ?? String(given)

try {
  await execute(serverUrl, `create database ${template}`)
  await migrateDatabase(databaseUrl(serverUrl, template))
  process.exitCode = await runTap()
  if (files.length === 0 && process.exitCode === 0) {
    const { lost, undeclared } = checkCoverage(coverageDir)
    console.log(formatCoverage())
    for (const line of lost) console.error(`covered according to the table, but not hit: ${line}`)
    for (const line of undeclared) console.error(`hit, but not in the table: ${line}`)
    if (lost.length + undeclared.length > 0) process.exitCode = 1
  }
} finally {
  await execute(serverUrl, `drop database if exists ${template} with (force)`)
  await embedded?.stop()
  await rm(folder, { recursive: true, force: true })
}

function runTap(): Promise<number> {
  const tap = createRequire(import.meta.url).resolve('tap/package.json')
  const command = join(tap, '../dist/esm/run.mjs')
  const env = {
    ...process.env,
    DATABASE_URL: undefined,
    TEST_DATABASE_URL: serverUrl,
    TEST_DATABASE_TEMPLATE: template,
    CONTRACT_COVERAGE_DIR: coverageDir,
  }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...files], { stdio: 'inherit', env })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
