/** MongoDB's own limit is 16 MiB and a little. */
const LONGEST = 17 * 1024 * 1024
const SHORTEST = 5

/**
 * Cuts a stream of BSON documents by the length that each begins with. Where it is damaged, what
 * follows cannot be found any more: the bytes there are the last piece.
 *
 * @param onDamage is told where that is
 */
export async function* cutBson(
  chunks: AsyncIterable<Buffer>,
  onDamage: (what: string) => void,
): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const documents: Buffer[] = []
    let at = 0
    while (bytes.length - at >= 4) {
      const length = bytes.readInt32LE(at)
      if (length < SHORTEST || length > LONGEST) {
        onDamage(`is damaged at byte ${offset + at}: no document begins there`)
        yield [...documents, bytes.subarray(at)]
        return
      }
      if (bytes.length - at < length) break
      documents.push(bytes.subarray(at, at + length))
      at += length
    }
    rest = bytes.subarray(at)
    offset += at
    yield documents
  }
  if (rest.length === 0) return
  onDamage(`ends within the document at byte ${offset}`)
  yield [rest]
}
