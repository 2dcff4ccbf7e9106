/** Chunks that are being received, so that a merge can wait for those of its file. */
export interface Arrivals {
  begin(): Arrival
  /**
   * Whether a chunk of the file is being received. `unsure` when one is that began before a
   * moment and has not said yet whose it is: the fields may come last.
   */
  state(fileHash: string, begunBefore: number): 'arriving' | 'unsure' | 'quiet'
  /** Resolves when such a chunk has been received, or after so many milliseconds. */
  next(fileHash: string, milliseconds: number): Promise<void>
}

/** One chunk on its way. */
export interface Arrival {
  /** Undefined until the field has arrived. */
  fileHash: string | undefined
  /** To be called once it is stored or refused. */
  end(): void
}

export function createArrivals(): Arrivals {
  const arriving = new Map<Arrival, number>()
  const waiting = new Set<{ readonly fileHash: string; wake(): void }>()

  return {
    begin() {
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
      arriving.set(arrival, performance.now())
      return arrival
    },
    state(fileHash, begunBefore) {
      let unsure = false
      for (const [arrival, begun] of arriving) {
        if (arrival.fileHash === fileHash) return 'arriving'
        unsure ||= arrival.fileHash === undefined && begun < begunBefore
      }
      return unsure ? 'unsure' : 'quiet'
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
        const timer = setTimeout(() => waiter.wake(), milliseconds)
        waiting.add(waiter)
      }),
  }
}
