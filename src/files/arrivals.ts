import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UNNAMED } from './names.ts'
import { labelOf, ownerOf, type Storage } from './storage.ts'

/** A chunk that has not said whose it is counts for so long after its last byte. */
const UNSURE_FOR = 2_000
/** Whether another machine's server lives is not known; its parts count for so long. */
const REMOTE_FOR = 10_000
/** How often it is looked for chunks that other servers on this folder receive. */
const LOOK_EVERY = 200

/** Chunks that are being received, so that a merge can wait for those of its file. */
export interface Arrivals {
  /** @param bytesRead how many bytes its connection has brought so far */
  begin(bytesRead: () => number): Arrival
  /**
   * Whether a chunk of the file is being received, by this server or by another one on this folder.
   * `unsure` when one is that began before a moment and has not said yet whose it is: the fields
   * may come last.
   */
  state(fileHash: string, begunBefore: number): Promise<'arriving' | 'unsure' | 'quiet'>
  /** Resolves when it is time to look again, at the latest after so many milliseconds. */
  next(fileHash: string, milliseconds: number): Promise<void>
}

/** One chunk on its way. */
export interface Arrival {
  /** Undefined until the field has arrived. */
  fileHash: string | undefined
  /** To be called once it is stored or refused. */
  end(): void
}

/** What is known of the connection that a chunk comes on. */
interface Progress {
  readonly begun: number
  readonly bytesRead: () => number
  bytes: number
  /** When it was seen to have grown. */
  at: number
}

export function createArrivals(storage: Storage): Arrivals {
  const arriving = new Map<Arrival, Progress>()
  const waiting = new Set<{ readonly fileHash: string; wake(): void }>()

  function here(fileHash: string, begunBefore: number) {
    const now = performance.now()
    let unsure = false
    for (const [arrival, progress] of arriving) {
      if (arrival.fileHash === fileHash) return 'arriving'
      const bytes = progress.bytesRead()
      if (bytes !== progress.bytes) Object.assign(progress, { bytes, at: now })
      unsure ||=
        arrival.fileHash === undefined &&
        progress.begun < begunBefore &&
        now - progress.at < UNSURE_FOR
    }
    return unsure ? 'unsure' : 'quiet'
  }

  /** What the temporary files of other servers tell. */
  async function elsewhere(fileHash: string) {
    let unsure = false
    for (const name of await readdir(storage.parts)) {
      const label = labelOf(name)
      const owner = ownerOf(name)
      if (label !== fileHash && label !== UNNAMED) continue
      if (owner === 'this process' || owner === 'a dead process') continue
      const found = await stat(join(storage.parts, name)).catch(() => undefined)
      if (found === undefined) continue
      const idle = Date.now() - found.mtimeMs
      if (label === UNNAMED) unsure ||= idle < UNSURE_FOR
      else if (owner === 'another' || idle < REMOTE_FOR) return 'arriving'
    }
    return unsure ? 'unsure' : 'quiet'
  }

  return {
    begin(bytesRead) {
      const arrival: Arrival = {
        fileHash: undefined,
        end() {
          arriving.delete(arrival)
          const { fileHash } = arrival
          for (const waiter of waiting) {
            if (fileHash === undefined || fileHash === waiter.fileHash) waiter.wake()
          }
        },
      }
      const now = performance.now()
      arriving.set(arrival, { begun: now, bytesRead, bytes: bytesRead(), at: now })
      return arrival
    },
    async state(fileHash, begunBefore) {
      const ours = here(fileHash, begunBefore)
      if (ours === 'arriving') return ours
      const theirs = await elsewhere(fileHash)
      return theirs === 'quiet' ? ours : theirs
    },
    next: (fileHash, milliseconds) =>
      new Promise((resolve) => {
        const waiter = {
          fileHash,
          wake() {
            clearTimeout(timer)
            waiting.delete(waiter)
            resolve()
          },
        }
        const timer = setTimeout(() => waiter.wake(), Math.min(milliseconds, LOOK_EVERY))
        waiting.add(waiter)
      }),
  }
}
