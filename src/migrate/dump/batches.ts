import { type DumpFile, type Piece, readPieces } from './dump.ts'

/** Bytes of documents that may be in memory together: a batch ends with the one that exceeds it. */
export const BATCH_BYTES = 8 * 1024 * 1024

/**
 * Reads a collection in batches that are small in number and in bytes.
 *
 * @param size most documents in a batch
 * @param onBytes is told how many bytes of the file were read
 */
export async function* readBatches(
  file: DumpFile,
  size: number,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Piece[]> {
  let [batch, bytes]: [Piece[], number] = [[], 0]
  for await (const pieces of readPieces(file, onBytes)) {
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
