import type { Server } from './events.ts'

/** A client that has this much waiting for it does not read (behaviour.md 8). */
const MOST_PACKETS = 2_000
const MOST_BYTES = 8 * 1024 * 1024
const CHECKED_EVERY = 250

interface Packet {
  readonly data?: string | Buffer
}

/** Of a message that is replayed: itself, and the news that it is unread. */
const PACKETS_PER_MESSAGE = 2

/**
 * Closes the connection of clients that stopped reading, before what waits for them fills the
 * memory; they come back with their bookmark. Gives what ends the watch.
 *
 * @param replayLimit messages that may wait at once though the client reads
 */
export function cutSlowReaders(io: Server, replayLimit: number): () => void {
  const mostPackets = MOST_PACKETS + PACKETS_PER_MESSAGE * replayLimit
  const timer = setInterval(() => {
    for (const socket of io.of('/').sockets.values()) {
      // engine.io declares it private, and has no other word for what is waiting.
      const { writeBuffer: waiting } = socket.conn as unknown as { writeBuffer: Packet[] }
      if (waiting.length > mostPackets || waitsTooMuch(waiting)) socket.conn.close(true)
    }
  }, CHECKED_EVERY)
  timer.unref()
  return () => clearInterval(timer)
}

function waitsTooMuch(waiting: readonly Packet[]): boolean {
  let bytes = 0
  for (const { data } of waiting) bytes += data?.length ?? 0
  return bytes > MOST_BYTES
}
