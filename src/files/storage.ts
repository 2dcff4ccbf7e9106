import { createHash, randomUUID } from 'node:crypto'
import { access, link, mkdir, open, rename, rm, statfs, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { unusableFolder } from '../startup-error.ts'

/** The upload folder: finished files, and below it what is not finished yet. */
export interface Storage {
  /** Where finished files are, each under its stored name. */
  readonly folder: string
  /** Where temporary files are; on the same disk, so that renaming one is atomic. */
  readonly parts: string
  /** Where the chunks of large files are. */
  readonly chunks: string
  /**
   * Path for a new temporary file. Its name says which process it is of, for `sweep`.
   *
   * @param label what it also says, so that other servers on this folder can see it
   */
  newPart(label?: string): string
  /**
   * Keeps room for so many more bytes; undefined when they would leave the disk with less than the
   * settings ask for.
   *
   * @returns to be called once they are written, or never will be
   */
  reserve(bytes: number): Promise<(() => void) | undefined>
  /** Whether a finished file is on the disk. */
  has(storedName: string): Promise<boolean>
  /**
   * Gives temporary files stored names too, all or none, safe from a power failure. The temporary
   * names stay: while a file has both, its row may be missing.
   *
   * @returns false when a name is taken
   */
  claim(moves: readonly Move[]): Promise<boolean>
  /** Takes claimed names back. */
  withdraw(storedNames: readonly string[]): Promise<void>
  /** Gives claimed names to a later `sweep` to judge, whatever becomes of the temporary ones. */
  leaveToSweep(storedNames: readonly string[]): Promise<void>
  /** Gives a temporary file its stored name, over what has it; for whoever is alone here. */
  replace(move: Move): Promise<void>
}

/** A temporary file, written and synced, and the name that it is to have. */
export interface Move {
  readonly part: string
  readonly storedName: string
}

/** Milliseconds that the free space is known for; what is promised is taken off. */
const MEASURED_FOR = 1_000
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/**
 * Makes the upload folder ready.
 *
 * @throws StartupError when it cannot be written
 */
export async function openStorage(uploadDir: string, freeSpaceFloor: number): Promise<Storage> {
  const folder = resolve(uploadDir)
  let free = 0
  /** Bytes promised to work that goes on; some of them may be on the disk already. */
  let outstanding = 0
  let measuredAt = -Infinity
  const at = (storedName: string) => join(folder, storedName)
  const storage: Storage = {
    folder,
    parts: join(folder, '.parts'),
    chunks: join(folder, '.chunks'),
    newPart: (label = '') => {
      return join(storage.parts, `${HOST}-${process.pid}-${randomUUID()}-${label}.part`)
    },
    async reserve(bytes) {
      const now = performance.now()
      if (now - measuredAt > MEASURED_FOR) {
        const { bavail, bsize } = await statfs(folder)
        free = bavail * bsize - outstanding
        measuredAt = now
      }
      if (free - bytes < freeSpaceFloor) return undefined
      free -= bytes
      outstanding += bytes
      return () => {
        outstanding -= bytes
      }
    },
    has: (storedName) =>
      access(at(storedName)).then(
        () => true,
        () => false,
      ),
    async claim(moves) {
      const done: string[] = []
      try {
        for (const { part, storedName } of moves) {
          await link(part, at(storedName))
          done.push(storedName)
        }
        await syncFolder(folder)
        return true
      } catch (error) {
        await storage.withdraw(done)
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      }
    },
    async withdraw(storedNames) {
      await Promise.all(storedNames.map((name) => rm(at(name), { force: true })))
    },
    async leaveToSweep(storedNames) {
      await Promise.all(storedNames.map((name) => link(at(name), storage.newPart())))
    },
    async replace({ part, storedName }) {
      await rename(part, at(storedName))
      await syncFolder(folder)
    },
  }
  try {
    await mkdir(storage.parts, { recursive: true })
    await mkdir(storage.chunks, { recursive: true })
    const [probe, other] = [storage.newPart(), storage.newPart()]
    await (await open(probe, 'wx')).close()
    await link(probe, other).finally(() => unlink(probe))
    await unlink(other)
  } catch (error) {
    throw unusableFolder('UPLOAD_DIR', uploadDir, error)
  }
  return storage
}

/** The label that a temporary file was named with; empty for none. */
export function labelOf(part: string): string {
  return /-([^-]*)\.part$/.exec(part)?.[1] ?? ''
}

/** Whose a temporary file can be; `another` is one that lives on this machine. */
export type Owner = 'this process' | 'a dead process' | 'another' | 'of another machine'

/** Whose a temporary file is, as far as its name tells. */
export function ownerOf(part: string): Owner {
  const [host, pid] = part.split('-')
  if (host !== HOST) return 'of another machine'
  if (Number(pid) === process.pid) return 'this process'
  try {
    process.kill(Number(pid), 0)
    return 'another'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'a dead process' : 'another'
  }
}

/** A new name is only safe from a power failure once its folder is on the disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
