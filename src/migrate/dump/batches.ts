import { type DumpFile, type Piece, type Reading, readPieces } from './dump.ts'

/** Bytes of documents that may be in memory together: a batch ends with the one that exceeds it. */
export const BATCH_BYTES = 8 * 1024 * 1024

/**
 * Reads a collection in batches that are small in number and in bytes.
 *
 * @param size most documents in a batch
 */
export async function* readBatches(
  file: DumpFile,
  size: number,
  reading: Reading,
): AsyncGenerator<Piece[]> {
  let [batch, bytes]: [Piece[], number] = [[], 0]
  for await (const pieces of readPieces(file, reading)) {
    for (const piece of pieces) {
      batch.push(piece)
      bytes += piece.bytes
      if (batch.length < size && bytes < BATCH_BYTES) continue
      yield batch
      ;[batch, bytes] = [[], 0]
    }
  }
  if (batch.length > 0) yield batch
}
