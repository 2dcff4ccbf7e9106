import { resolve } from 'node:path'
import { say } from '../database/commands/command.ts'
import { openStorage } from '../files/storage.ts'
import { openDump, runMigration } from './command.ts'
import { importDump } from './importing.ts'
import { describeUploads, takeOverUploads } from './uploads.ts'

await runMigration(
  'npm run migrate:import -- <dump> [--map <file>] [--uploads <folder>]...',
  async (context) => {
    const { settings, args } = context
    const dump = await openDump(context)
    say((await importDump(dump, resolve(args.folder))).toString())
    if (args.uploads.length === 0) return true
    const storage = await openStorage(settings.uploadDir, settings.freeSpaceFloor)
    say(describeUploads(await takeOverUploads({ ...dump, storage, folders: args.uploads })))
    return true
  },
)
