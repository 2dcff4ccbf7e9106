import { setTimeout as pause } from 'node:timers/promises'
import { and, eq } from 'drizzle-orm'
import {
  type Database,
  isPassing,
  isUniqueViolation,
  persistently,
  type Queryable,
} from '../database/connection.ts'
import { files } from '../database/schema.ts'
import { Fault } from '../fault.ts'
import { freshStamp, joinedName, stampedName } from './names.ts'
import { type FileFacts, findKey } from './queries.ts'
import type { Storage } from './storage.ts'

/** Uploads of one name in one millisecond that other servers may win before this one. */
const MOST_ATTEMPTS = 5
/** Milliseconds for which a row is tried again while the database is away. */
const PATIENCE = 2_000
/** Milliseconds for which the row of a name that another server claimed is waited for. */
const CLAIM_LASTS = 2_000
const LOOKED_EVERY = 20

// A name is claimed on the disk and synced, and then the row stored in a statement of its own. The
// temporary name goes last: it tells `sweep` of a process that died before the row was stored.

/** A finished temporary file. */
export interface Finished {
  readonly part: string
  readonly facts: FileFacts
}

/**
 * Keeps pictures under `<ms timestamp>-<original name>`, all or none. The temporary files stay, and
 * are the caller's to delete.
 *
 * @returns their stored names, in order
 */
export async function keepPictures(
  db: Database,
  storage: Storage,
  pictures: readonly Finished[],
): Promise<string[]> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const named = pictures.map(({ part, facts }) => ({
      part,
      ...facts,
      storedName: stampedName(freshStamp(), facts.originalName),
    }))
    const names = named.map(({ storedName }) => storedName)
    if (!(await storage.claim(named))) continue
    const insert = async (again: boolean) => {
      try {
        await db.orm.insert(files).values(named)
        return true
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        // The names are ours alone, so it was the first try that stored them.
        return again
      }
    }
    if (await record(db, storage, names, insert)) return names
  }
  throw new Fault('the names for pictures were taken')
}

/** A joined file. */
export interface FinishedUpload extends Finished {
  readonly key: string
  readonly proven: boolean
  readonly chunkCount: number
}

/**
 * Keeps a joined file under its key. The first one under a key stays, except that a proven one
 * takes the key, not the name, from one that never was: or whoever uploads garbage under
 * somebody's key would keep them from sending their file. The temporary file stays, and is the
 * caller's to delete.
 *
 * @returns the stored name that the key stands for from now on
 */
export async function keepUpload(
  db: Database,
  storage: Storage,
  { key, part, proven, chunkCount, facts }: FinishedUpload,
): Promise<string> {
  const columns = { ...facts, proven, chunkCount }
  const name = joinedName(key, facts.originalName)
  const claimedUntil = performance.now() + CLAIM_LASTS
  for (;;) {
    const known = await persistently(db, () => findKey(db, key), PATIENCE)
    if (known !== undefined && !(await storage.has(known.storedName))) {
      // The folder was restored from an older backup than the database. Until the file is there,
      // nothing is served; another server that brings it back has the same chunks.
      const row = eq(files.storedName, known.storedName)
      await persistently(db, () => db.orm.update(files).set(columns).where(row), PATIENCE)
      await storage.claim([{ part, storedName: known.storedName }])
      return known.storedName
    }
    if (known !== undefined && (known.proven || !proven)) return known.storedName

    const wanted = known === undefined && performance.now() < claimedUntil
    const storedName = wanted ? name : stampedName(freshStamp(), name)
    if (await storage.claim([{ part, storedName }])) {
      const row = { ...columns, storedName, uploadKey: key }
      const store = known === undefined ? insert : takeOver
      // A try whose answer was lost may have stored it.
      const isStored = async () =>
        (await store(row)) || (await findKey(db, key))?.storedName === storedName
      if (await record(db, storage, [storedName], isStored)) return storedName
    }
    // Another server keeps the same file: its row comes next.
    await pause(LOOKED_EVERY)
  }

  async function insert(row: typeof files.$inferInsert, tx: Queryable = db): Promise<boolean> {
    const inserted = await tx.orm
      .insert(files)
      .values(row)
      .onConflictDoNothing()
      .returning({ storedName: files.storedName })
    return inserted.length > 0
  }

  function takeOver(row: typeof files.$inferInsert): Promise<boolean> {
    return db.transaction(async (tx) => {
      const unproven = and(eq(files.uploadKey, key), eq(files.proven, false))
      await tx.orm.update(files).set({ uploadKey: null }).where(unproven)
      return insert(row, tx)
    })
  }
}

/**
 * Stores the rows of claimed names, or gives the names back where that is refused.
 *
 * @param insert whether it has stored them; is told whether an earlier try may have done so
 */
async function record(
  db: Database,
  storage: Storage,
  names: readonly string[],
  insert: (again: boolean) => Promise<boolean>,
): Promise<boolean> {
  try {
    const stored = await persistently(db, insert, PATIENCE)
    if (!stored) await storage.withdraw(names)
    return stored
  } catch (error) {
    // Rows whose answer was lost may be there; the next start will know.
    if (isPassing(error)) await storage.leaveToSweep(names)
    else await storage.withdraw(names)
    throw error
  }
}
