import { openDump, runCommand, say } from './command.ts'
import { verifyDump } from './verifying.ts'

await runCommand(
  'npm run migrate:verify -- <dump> [--map <file>] [--uploads <folder>]...',
  async (context) => {
    const verification = await verifyDump(await openDump(context))
    say(verification.toString())
    return verification.passed
  },
)
