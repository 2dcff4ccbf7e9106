import { rm } from 'node:fs/promises'
import { Fault } from '../fault.ts'
import type { Context } from '../context.ts'
import type { Arrivals } from './arrivals.ts'
import type { ChunkStore, StoredChunk } from './chunks.ts'
import { joinChunks } from './join.ts'
import { keepUpload } from './keeping.ts'
import { mediaTypeOf } from './media.ts'
import { findUpload } from './queries.ts'
import { sampledHash } from './sample.ts'
import type { Storage } from './storage.ts'

/** The client gives up after 10 s, and the joining has to fit in as well. */
const LONGEST_WAIT = 7_000
/** A merge may overtake chunks that were sent before it by less than this. */
const QUIET = 500

/** What `/merge` says. */
export interface MergeRequest {
  readonly fileHash: string
  readonly fileName: string
  readonly uploaderId: string | undefined
}

/** Joins the chunks of a file; gives its stored name, or undefined when it cannot be joined. */
export type Merge = (request: MergeRequest) => Promise<string | undefined>

/** All chunks of a file, in order, and whether its hash proves that they are all. */
interface Collected {
  readonly chunks: readonly StoredChunk[]
  readonly proven: boolean
}

/** Merging the same file again, or many times at once, gives the same name. */
export function createMerge(
  { db, log, settings }: Context,
  storage: Storage,
  store: ChunkStore,
  arrivals: Arrivals,
): Merge {
  const merging = new Map<string, Promise<string | undefined>>()

  async function merge(request: MergeRequest): Promise<string | undefined> {
    const { fileHash } = request
    const known = await findUpload(db, storage, fileHash)
    if (known?.proven === true) {
      await store.discard(fileHash)
      return known.storedName
    }
    const storedName = await collectAndJoin(request)
    // Another server on this folder may have joined the chunks meanwhile, and taken them away.
    return storedName ?? (await findUpload(db, storage, fileHash))?.storedName
  }

  async function collectAndJoin(request: MergeRequest): Promise<string | undefined> {
    try {
      const collected = await collect(request.fileHash)
      return collected && (await join(request, collected))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Waits until the chunks are proven to be all, or nothing more arrives. */
  async function collect(fileHash: string): Promise<Collected | undefined> {
    const start = performance.now()
    let lastArriving = start
    let sampled = 0
    for (;;) {
      const state = await arrivals.state(fileHash, lastArriving + QUIET)
      const chunks = await store.complete(fileHash)
      if (chunks !== undefined && chunks.length !== sampled) {
        if ((await sampledHash(chunks)) === fileHash) return { chunks, proven: true }
        sampled = chunks.length
      }
      const now = performance.now()
      if (state === 'arriving') lastArriving = now
      const quietIn = lastArriving + QUIET - now
      const left = start + LONGEST_WAIT - now
      const over = left <= 0 ? state !== 'arriving' : state === 'quiet' && quietIn <= 0
      if (over) return chunks && { chunks, proven: false }
      if (left <= 0) return undefined
      await arrivals.next(fileHash, state === 'quiet' ? Math.min(quietIn, left) : left)
    }
  }

  async function join(request: MergeRequest, collected: Collected): Promise<string | undefined> {
    const { fileHash, fileName, uploaderId } = request
    const { chunks } = collected
    const total = chunks.reduce((sum, { size }) => sum + size, 0)
    if (total > settings.fileLimit) {
      await store.discard(fileHash)
      return undefined
    }
    const release = await storage.reserve(total)
    if (release === undefined) throw new Fault('too little free space to join chunks')
    const part = storage.newPart()
    try {
      const { size, sha256, sampled, md5 } = await joinChunks(chunks, part, !collected.proven)
      // Not what was collected counts, but what was joined.
      const proven = sampled === fileHash || md5 === fileHash
      if (!proven) log.warn({ fileHash, size }, 'joined a file that its hash does not prove')
      const storedName = await keepUpload(db, storage, {
        key: fileHash,
        part,
        proven,
        chunkCount: chunks.length,
        facts: {
          originalName: fileName,
          kind: 'chat_file',
          mediaType: await mediaTypeOf(part),
          sizeBytes: size,
          sha256,
          uploaderId: uploaderId ?? null,
        },
      })
      await store.discard(fileHash)
      return storedName
    } finally {
      release()
      await rm(part, { force: true })
    }
  }

  return (request) => {
    const running =
      merging.get(request.fileHash) ??
      merge(request).finally(() => merging.delete(request.fileHash))
    merging.set(request.fileHash, running)
    return running
  }
}
