import { say } from '../database/commands/command.ts'
import { openStorage } from '../files/storage.ts'
import { openDump, runMigration } from './command.ts'
import { describeUploads, hasAllUploads, verifyUploads } from './uploads.ts'
import { verifyDump } from './verifying.ts'

await runMigration(
  'npm run migrate:verify -- <dump> [--map <file>] [--uploads <folder>]...',
  async (context) => {
    const { settings, args } = context
    const dump = await openDump(context)
    const verification = await verifyDump(dump)
    say([verification.toString(), ...dump.report.damages].join('\n'))
    const passed = verification.passed && dump.report.damages.size === 0
    if (args.uploads.length === 0) return passed
    const storage = await openStorage(settings.uploadDir, settings.freeSpaceFloor)
    const uploads = await verifyUploads({ ...dump, storage, folders: args.uploads })
    say(describeUploads(uploads))
    return passed && hasAllUploads(uploads)
  },
)
