import { existsSync } from 'node:fs'
import pg from 'pg'
import { readSettings, type Settings } from '../../settings.ts'
import { StartupError } from '../../startup-error.ts'
import { type EmbeddedDatabase, startEmbedded } from '../embedded.ts'
import { migrateDatabase } from '../migrate.ts'

/** What a command for the operator works with. */
export interface CommandContext {
  readonly settings: Settings
  /** postgres:// address of the database. */
  readonly url: string
  readonly client: pg.Client
}

/** Prints a line. */
export const say = (line: string) => void process.stdout.write(`${line}\n`)

/**
 * Runs a command on the database that the server uses: the one of DATABASE_URL, or the embedded
 * one, which is started for it. Ends with 0, or with 1 and one sentence.
 *
 * @param work gives whether it went well
 */
export async function runCommand(work: (context: CommandContext) => Promise<boolean>) {
  let embedded: EmbeddedDatabase | undefined
  let client: pg.Client | undefined
  try {
    if (existsSync('.env')) process.loadEnvFile('.env')
    const settings = readSettings()
    const { dataDir, databasePort: port } = settings
    if (settings.databaseUrl === undefined) embedded = await startEmbedded({ dataDir, port })
    const url = embedded?.url ?? settings.databaseUrl ?? ''
    await migrateDatabase(url)
    client = new pg.Client({ connectionString: url, application_name: 'waifchat command' })
    await client.connect()
    process.exitCode = (await work({ settings, url, client })) ? 0 : 1
  } catch (error) {
    const expected = error instanceof StartupError || error instanceof pg.DatabaseError
    process.stderr.write(`${expected ? sentence(error) : String((error as Error).stack)}\n`)
    process.exitCode = 1
  } finally {
    await client?.end().catch(() => undefined)
    await embedded?.stop()
  }
}

function sentence({ message }: Error): string {
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`
}
