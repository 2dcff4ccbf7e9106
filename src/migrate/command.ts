import { parseArgs } from 'node:util'
import { createPasswords } from '../accounts/passwords.ts'
import { openSession, type Session } from '../database/connection.ts'
import { runOnDatabase } from '../database/commands/command.ts'
import type { Settings } from '../settings.ts'
import { StartupError } from '../startup-error.ts'
import { wireTimes } from '../wire/times.ts'
import { findDump } from './dump/dump.ts'
import { COLLECTIONS, isCollection, type Mapping, readMapping } from './mapping.ts'
import { createProgress } from './progress.ts'
import { Report } from './report.ts'
import type { Run } from './run.ts'

/** Passwords that are hashed at the same time: Node has four threads for that. */
const HASHED_TOGETHER = 4

/** What a command line asks for. */
export interface Arguments {
  /** The dump, or the folder to export to. */
  readonly folder: string
  readonly mapping: Mapping
  readonly uploads: readonly string[]
}

/** What a command works with. */
export interface CommandContext {
  readonly settings: Settings
  readonly db: Session
  readonly args: Arguments
}

/**
 * Runs one of the migration's commands and ends the process: 0 when it went well, 1 when it did
 * not. Whatever an operator can put right is one sentence.
 *
 * @param usage shown when the arguments are wrong
 */
export function runMigration(
  usage: string,
  work: (context: CommandContext) => Promise<boolean>,
): Promise<void> {
  return runOnDatabase(
    () => readArguments(usage, process.argv.slice(2)),
    async ({ settings, url }, args) => {
      const db = await openSession(url, 'waifchat migrate')
      try {
        return await work({ settings, db, args })
      } catch (error) {
        if (db.lost === undefined) throw error
        throw new StartupError(`The connection to the database was lost: ${db.lost.message}.`)
      } finally {
        await db.close()
      }
    },
  )
}

/** What importing and verifying need besides the database. */
export async function openDump({ settings, db, args }: CommandContext) {
  const dump = {
    db,
    times: wireTimes(settings.timezone),
    passwords: createPasswords(HASHED_TOGETHER),
    mapping: args.mapping,
    files: await findDump(args.folder),
    report: new Report(),
    progress: createProgress(process.stderr),
  }
  if (missingIn(dump).length === EXPECTED.length) {
    const found = dump.files.map(({ name }) => name).join(', ')
    throw new StartupError(`The dump ${args.folder} has none of our collections, but ${found}.`)
  }
  refuseHomonyms(dump)
  return dump
}

/** In the quarantine a collection called like one of ours could not be told from ours. */
function refuseHomonyms({ files, mapping }: Pick<Run, 'files' | 'mapping'>): void {
  for (const { name } of files) {
    if (mapping.isIgnored(name) || mapping.collectionOf(name) !== undefined) continue
    if (!isCollection(name)) continue
    throw new StartupError(
      `The dump has ${name}, and the mapping says that ours is called ${mapping.nameOf(name)}: ` +
        `ignore ${name} in the mapping, or rename its file.`,
    )
  }
}

/** What an original has; the others are only in exports of this server. */
const EXPECTED = COLLECTIONS.filter((collection) => collection !== 'dissolved_groups')

/** The collections that a dump does not have, as it would call them. */
export function missingIn({ files, mapping }: Pick<Run, 'files' | 'mapping'>): string[] {
  const names = new Set(files.map(({ name }) => name))
  return EXPECTED.map((collection) => mapping.nameOf(collection)).filter((name) => !names.has(name))
}

function readArguments(usage: string, args: string[]): Arguments {
  const wrong = (why: string) => new StartupError(`${why}. Usage: ${usage}`)
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { map: { type: 'string' }, uploads: { type: 'string', multiple: true } },
    })
    const [folder, ...others] = positionals
    if (folder === undefined || others.length > 0) throw wrong('One folder must be named')
    return { folder, mapping: readMapping(values.map), uploads: values.uploads ?? [] }
  } catch (error) {
    throw error instanceof StartupError ? error : wrong((error as Error).message)
  }
}
