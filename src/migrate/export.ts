import { resolve } from 'node:path'
import { say } from '../database/commands/command.ts'
import { wireTimes } from '../wire/times.ts'
import { runMigration } from './command.ts'
import { exportDocuments } from './exporting.ts'
import { table } from './report.ts'

await runMigration(
  'npm run migrate:export -- <folder> [--map <file>]',
  async ({ settings, db, args }) => {
    const counts = await exportDocuments({
      db,
      times: wireTimes(settings.timezone),
      mapping: args.mapping,
      folder: resolve(args.folder),
    })
    say(
      table(
        ['collection', 'documents'],
        [...counts].map((row) => [...row]),
      ),
    )
    return true
  },
)
