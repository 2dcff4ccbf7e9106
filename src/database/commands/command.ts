import { existsSync } from 'node:fs'
import pg from 'pg'
import { readSettings, type Settings } from '../../settings.ts'
import { StartupError } from '../../startup-error.ts'
import { type EmbeddedDatabase, startEmbedded } from '../embedded.ts'
import { migrateDatabase } from '../migrate.ts'

/** What every command works with. */
export interface CommandSettings {
  readonly settings: Settings
  /** postgres:// address of the database. */
  readonly url: string
}

/** What a command that asks the database works with. */
export interface CommandContext extends CommandSettings {
  readonly client: pg.Client
}

/** Prints a line. */
export const say = (line: string) => void process.stdout.write(`${line}\n`)

/**
 * Runs a command on the database that the server uses: the one of DATABASE_URL, or the embedded
 * one, which is started for it. Ends with 0, or with 1 and one sentence.
 *
 * @param readArguments comes first: whoever mistyped them should not wait for a database
 * @param work gives whether it went well
 */
export async function runOnDatabase<Arguments>(
  readArguments: () => Arguments,
  work: (context: CommandSettings, args: Arguments) => Promise<boolean>,
): Promise<void> {
  let embedded: EmbeddedDatabase | undefined
  try {
    const args = readArguments()
    if (existsSync('.env')) process.loadEnvFile('.env')
    const settings = readSettings()
    const { dataDir, databasePort: port } = settings
    if (settings.databaseUrl === undefined) {
      embedded = await startEmbedded({ dataDir, port, log: say })
    }
    const url = embedded?.url ?? settings.databaseUrl ?? ''
    await migrateDatabase(url)
    process.exitCode = (await work({ settings, url }, args)) ? 0 : 1
  } catch (error) {
    const expected = error instanceof StartupError || error instanceof pg.DatabaseError
    process.stderr.write(`${expected ? sentence(error) : String((error as Error).stack)}\n`)
    process.exitCode = 1
  } finally {
    await embedded?.stop()
  }
}

/** The same for a command that only asks the database, on a connection of its own. */
export function runCommand(work: (context: CommandContext) => Promise<boolean>): Promise<void> {
  return runOnDatabase(
    () => undefined,
    async ({ settings, url }) => {
      const client = new pg.Client({ connectionString: url, application_name: 'waifchat command' })
      await client.connect()
      try {
        return await work({ settings, url, client })
      } finally {
        await client.end().catch(() => undefined)
      }
    },
  )
}

function sentence({ message }: Error): string {
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`
}
