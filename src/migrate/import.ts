import { resolve } from 'node:path'
import { say } from '../database/commands/command.ts'
import { openStorage } from '../files/storage.ts'
import { missingIn, openDump, runMigration } from './command.ts'
import { importDump } from './importing.ts'
import { describeUploads, takeOverUploads } from './uploads.ts'

await runMigration(
  'npm run migrate:import -- <dump> [--map <file>] [--uploads <folder>]...',
  async (context) => {
    const { settings, args } = context
    const dump = await openDump(context)
    const report = await importDump(dump, resolve(args.folder))
    say(report.toString())
    const missing = missingIn(dump)
    if (missing.length > 0) say(`not in this dump: ${missing.join(', ')}`)
    const isWhole = report.damages.size === 0
    if (args.uploads.length === 0) return isWhole
    const storage = await openStorage(settings.uploadDir, settings.freeSpaceFloor)
    say(describeUploads(await takeOverUploads({ ...dump, storage, folders: args.uploads })))
    return isWhole
  },
)
