/** The reads of each user that have arrived and are not in the database yet. */
export interface Reads {
  /** Notes a read until it has ended; gives its own result. */
  track<Result>(userId: string, read: Promise<Result>): Promise<Result>
  /** Resolves when all reads of this user that arrived so far have ended. */
  finished(userId: string): Promise<unknown>
}

/**
 * The client sends `/message/read` and `/message/list` back to back, on two connections: the list
 * must reflect the read (behaviour.md 6).
 */
export function createReads(): Reads {
  const running = new Map<string, Set<Promise<unknown>>>()
  return {
    async track(userId, read) {
      const reads = running.get(userId) ?? new Set()
      running.set(userId, reads.add(read))
      try {
        return await read
      } finally {
        reads.delete(read)
        if (reads.size === 0) running.delete(userId)
      }
    },
    finished: (userId) => Promise.allSettled([...(running.get(userId) ?? [])]),
  }
}
