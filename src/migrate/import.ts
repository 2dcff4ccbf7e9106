import { resolve } from 'node:path'
import { openDump, runCommand, say } from './command.ts'
import { importDump } from './importing.ts'

await runCommand(
  'npm run migrate:import -- <dump> [--map <file>] [--uploads <folder>]...',
  async (context) => {
    const report = await importDump(await openDump(context), resolve(context.args.folder))
    say(report.toString())
    return true
  },
)
