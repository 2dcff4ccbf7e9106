/** npm run seed -- --messages 10000000: fills the empty database of DATABASE_URL. */
import { parseArgs } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import { migrateDatabase } from '../src/database/migrate.ts'
import { readSettings } from '../src/settings.ts'
import { execute } from './lib/cluster.ts'
import { load } from './lib/load.ts'
import { worldOf } from './lib/world.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
  },
})
const { databaseUrl } = readSettings()
if (databaseUrl === undefined) throw new Error('set DATABASE_URL to an empty database')
await migrateDatabase(databaseUrl)
const { rows } = await execute(databaseUrl, 'select from users limit 1')
if (rows.length > 0) throw new Error('the database is not empty')

const world = { ...worldOf(Number(values.messages)), seed: Number(values.seed) }
const bar = new SingleBar({ format: '{table} [{bar}] {value}/{total}' }, Presets.rect)
let current = ''
await load(databaseUrl, world, (table, done, of) => {
  if (table !== current) {
    if (current !== '') bar.stop()
    current = table
    bar.start(of, 0, { table: table.padEnd(14) })
  }
  bar.update(done)
})
bar.stop()
