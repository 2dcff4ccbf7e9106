/** A document cannot be longer than this as text either. */
const LONGEST = 256 * 1024 * 1024

const [NEWLINE, QUOTE, BACKSLASH, OPEN, CLOSE] = [0x0a, 0x22, 0x5c, 0x7b, 0x7d] as const
/** Space, tab, line ends, comma, brackets of an array around everything, byte order mark. */
const BETWEEN = new Set([0x20, 0x09, 0x0d, NEWLINE, 0x2c, 0x5b, 0x5d, 0xef, 0xbb, 0xbf])

/** A text between braces, or what is left of one that is broken. */
export interface JsonPiece {
  readonly bytes: Buffer
  readonly broken: boolean
}

/**
 * Cuts JSON documents out of a stream, whether they stand in lines, in an array, or are spread over
 * lines. A broken one ends at the line that begins the next: lines of one document that is spread
 * are indented. A text that goes on for too long is the last piece.
 *
 * @param onDamage is told of that
 */
export async function* cutJson(
  chunks: AsyncIterable<Buffer>,
  onDamage: (what: string) => void,
): AsyncGenerator<JsonPiece[]> {
  const cutter = new JsonCutter()
  for await (const chunk of chunks) {
    yield cutter.push(chunk)
    if (!cutter.isTooLong) continue
    onDamage('holds a text of more than 256 MiB that does not end')
    break
  }
  yield cutter.end()
}

class JsonCutter {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** Where the document that is being read begins; -1 between two. */
  #start = -1
  #depth = 0
  #quoted = false
  #garbage = false

  push(chunk: Buffer): JsonPiece[] {
    const pieces: JsonPiece[] = []
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    // A backslash at the very end waits for what it escapes.
    for (; this.#at < this.#bytes.length; this.#at += 1) {
      const byte = this.#bytes[this.#at] as number
      if (this.#start === -1) this.#begin(byte)
      else if (this.#garbage) {
        if (byte === NEWLINE) this.#cut(pieces, this.#at, true)
      } else if (this.#quoted) {
        if (byte === BACKSLASH) {
          if (this.#at + 1 === this.#bytes.length) break
          this.#at += 1
        } else if (byte === QUOTE) this.#quoted = false
        else if (byte === NEWLINE) this.#cut(pieces, this.#at, true)
      } else if (byte === QUOTE) this.#quoted = true
      else if (byte === OPEN) {
        if (this.#bytes[this.#at - 1] === NEWLINE) {
          this.#cut(pieces, this.#at, true)
          this.#begin(byte)
        } else this.#depth += 1
      } else if (byte === CLOSE) {
        this.#depth -= 1
        if (this.#depth === 0) this.#cut(pieces, this.#at + 1, false)
      }
    }
    this.#forget()
    return pieces
  }

  get isTooLong(): boolean {
    return this.#bytes.length > LONGEST
  }

  end(): JsonPiece[] {
    const pieces: JsonPiece[] = []
    if (this.#start !== -1) this.#cut(pieces, this.#bytes.length, true)
    return pieces
  }

  #begin(byte: number): void {
    if (BETWEEN.has(byte)) return
    this.#start = this.#at
    this.#depth = 1
    this.#garbage = byte !== OPEN
  }

  #cut(pieces: JsonPiece[], end: number, broken: boolean): void {
    pieces.push({ bytes: this.#bytes.subarray(this.#start, end), broken })
    this.#start = -1
    this.#quoted = false
    this.#garbage = false
  }

  /** Keeps only what belongs to the document that is being read, and the byte before it. */
  #forget(): void {
    const from = Math.max(0, (this.#start === -1 ? this.#at : this.#start) - 1)
    this.#bytes = this.#bytes.subarray(from)
    this.#at -= from
    if (this.#start !== -1) this.#start -= from
  }
}
