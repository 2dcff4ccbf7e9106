import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { type Queryable, type Session, statement } from '../database/connection.ts'
import { PRESENCE } from '../database/presence.ts'
import { StartupError } from '../startup-error.ts'
import { dissolvedGroups, groups } from './collections/groups.ts'
import { notes } from './collections/notes.ts'
import { spaces } from './collections/spaces.ts'
import { loadDetails } from './details.ts'
import type { DumpFile } from './dump/dump.ts'
import { countEarlier, openSeen } from './earlier.ts'
import { loadErased, takeErased } from './erased.ts'
import { openLedger } from './ledger.ts'
import { importFriendships } from './friendships.ts'
import { importLikes } from './likings.ts'
import { importMemberships } from './memberships.ts'
import { analyzedTables, appendMessages } from './messages/appending.ts'
import { stageMessages } from './messages/staging.ts'
import { importPlain } from './plain.ts'
import { importComments } from './replies.ts'
import { COLLECTIONS } from './mapping.ts'
import type { Report } from './report.ts'
import type { Run, RunFacts } from './run.ts'
import { fileOf } from './sources.ts'
import { keepUnknown } from './unknown.ts'
import { importUsers } from './people.ts'
import { loadZones } from './zones.ts'

const locked = statement<[free: boolean]>('import_lock', 'select pg_try_advisory_lock($1, $2)')
const lockHolders = statement<[mode: string]>(
  'import_lock_holders',
  `select mode from pg_locks
  where locktype = 'advisory' and classid = $1 and objid = $2 and granted`,
)
const resumed = statement<[id: number]>(
  'import_resume',
  `select id from imports where finished_at is null and dump_digest = decode($1, 'hex') and timezone = $2
  order by id desc limit 1`,
)
const begun = statement<[id: number]>(
  'import_begin',
  `insert into imports (source, dump_digest, timezone) values ($1, decode($2, 'hex'), $3)
  returning id`,
)
const finished = statement(
  'import_finish',
  'update imports set finished_at = now(), counts = $2 where id = $1',
)
const forgotten = statement(
  'import_forget',
  `delete from imports i where id = $1
    and not exists (select from imported_documents d where d.import_id = i.id)
    and not exists (select from quarantine q where q.import_id = i.id)`,
)

/**
 * Nobody else may write meanwhile: neither a server nor another import.
 *
 * @throws StartupError when somebody is there
 */
export async function lockOut(db: Queryable): Promise<void> {
  const [row] = await db.run(locked, [...PRESENCE])
  if (row?.[0] === true) return
  const [holder] = await db.run(lockHolders, [...PRESENCE])
  throw new StartupError(
    holder?.[0] === 'ShareLock'
      ? 'A server is running on this database: stop it for the import.'
      : 'Another import is running on this database: wait until it has ended.',
  )
}

/**
 * Imports a dump, or what is new in it. It may be cut off anywhere: what is there is whole, and the
 * next run goes on.
 *
 * @param source folder of the dump, as it is shown to the DBA
 */
export async function importDump(
  given: Omit<Run, RunFacts> & { readonly db: Session },
  source: string,
): Promise<Report> {
  const { db, report, progress, times } = given
  await lockOut(db)
  await openLedger(db)
  await openSeen(db)
  const importId = await begin(given, source)
  const detailed = await loadDetails(given)
  if (detailed) await takeErased(db)
  const facts = { importId, detailed, erased: await loadErased(db) }
  const run: Run = { ...given, ...facts, timesOf: await loadZones(db, times) }

  await importUsers(run)
  await importPlain(run, groups)
  await importPlain(run, dissolvedGroups)
  await appendMessages(run, await stageMessages(run))
  await importFriendships(run)
  await importMemberships(run)
  await importPlain(run, spaces)
  await importComments(run)
  await importLikes(run)
  await importPlain(run, notes)
  await keepUnknown(run)

  for (const collection of COLLECTIONS) {
    if (fileOf(run, collection) === undefined) continue
    report.of(collection).earlier = await countEarlier(db, collection)
  }
  progress.end()
  await db.run(analyzedTables)
  await db.run(finished, [importId, JSON.stringify(report)])
  // A run that changed nothing leaves nothing.
  await db.run(forgotten, [importId])
  return report
}

async function begin(
  { db, files, times }: Pick<Run, 'db' | 'files' | 'times'>,
  source: string,
): Promise<number> {
  const digest = await digestOfFiles(files)
  const [unfinished] = await db.run(resumed, [digest, times.zone])
  const [row] =
    unfinished === undefined ? await db.run(begun, [source, digest, times.zone]) : [unfinished]
  if (row === undefined) throw new Error('an insert returned no row')
  return row[0]
}

/** Tells a dump from a later one in the same folder. */
async function digestOfFiles(files: readonly DumpFile[]): Promise<string> {
  const hash = createHash('sha256')
  for (const { path } of files) {
    const { size, mtimeMs } = await stat(path)
    hash.update(`${path} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex').slice(0, 32)
}
