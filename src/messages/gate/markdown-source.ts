import { markupIn } from './html.ts'

/** There is no saying how readers will read a text, or where in it something is. */
export class Unclear extends Error {}

/** Where the tokens of a text are in it; the parser tells lines, and places in what is on them. */
export class Source {
  readonly #text: string
  readonly #starts: number[] = [0]
  #first = 0
  #end = 0
  /** Up to here the line of a table's cells has been read. */
  #read = 0

  constructor(text: string) {
    this.#text = text
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      this.#starts.push(at + 1)
    }
    this.#starts.push(text.length + 1)
  }

  /** What follows is on these lines. */
  enter([first, end]: readonly [number, number]): void {
    this.#first = first
    this.#end = end
    this.#read = this.#startOf(first)
  }

  /** Places of markup on these lines, but for the first `skipped` of them. */
  markup(skipped = 0): number[] {
    const start = this.#startOf(this.#first + skipped)
    return markupIn(this.#text.slice(start, this.#startOf(this.#end))).map((at) => start + at)
  }

  endOfFirstLine(): number {
    return this.#startOf(this.#first + 1) - 1
  }

  /** Finds places of the content of an inline token, whose lines are ends of these lines. */
  finder(content: string): (at: number) => number {
    const lines = content.split('\n')
    const read = this.#read
    if (lines.length === 1 && content !== '') {
      const at = this.#text.indexOf(content, read)
      if (at !== -1) this.#read = at + content.length
    }
    const starts = [0]
    for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1)
    const first = this.#first
    const shifts = new Map<number, number>()
    const shiftOf = (number: number) => {
      const line = (lines[number] ?? '').trimStart()
      const indent = (lines[number]?.length ?? 0) - line.length
      const from = number === 0 ? read : this.#startOf(first + number)
      const found = this.#text.indexOf(line.trimEnd(), from)
      if (found === -1 || found >= this.#startOf(first + number + 1)) throw new Unclear()
      return found - (starts[number] ?? 0) - indent
    }
    let number = 0
    return (at) => {
      // Asked for in order, nearly always.
      if (at < (starts[number] ?? 0)) number = 0
      while (at >= (starts[number + 1] ?? Infinity)) number += 1
      const shift = shifts.get(number) ?? shiftOf(number)
      shifts.set(number, shift)
      if (this.#text[at + shift] !== content[at]) throw new Unclear()
      return at + shift
    }
  }

  #startOf(line: number): number {
    return this.#starts[Math.min(line, this.#starts.length - 1)] ?? 0
  }
}
