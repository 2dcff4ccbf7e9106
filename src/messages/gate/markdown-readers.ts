import createParser, { type MarkdownIt, type StateInline, type Token } from 'markdown-it'
import createOldParser from 'markdown-it-13'
import { asEditor, needsEditor } from './markdown-editor.ts'

/** What all reading of one message may cost; a step takes up to a fifth of a microsecond. */
const MOST_STEPS = 30_000
/** What a token costs, a sign at which something may begin, and one at which a parser only stops. */
const TOKEN_STEPS = 10
const SIGN_STEPS = 2
const STOP_STEPS = 1
const SIGN = /[\n<[|`$*_~!&\\]/g
const STOP = /[\]>:%+=@^{}#-]/g
/** Characters: searched for a sign, and read one by one. */
const SEARCHED_A_STEP = 1_024
const READ_A_STEP = 64
/** A quoted line after one that is not, and how many lines behind it are looked at in a step. */
const QUOTATION = /\n(?![ \t*+\d.)-]*>)[^\n]*\n[ \t*+\d.)-]*>/g
const LINES_A_STEP = 10

/** Reading a message takes longer than it is worth. */
export class TooMuchToRead extends Error {}

/** What may still be spent on a message: counted, not timed, so that it is the same every day. */
export class Budget {
  #left = MOST_STEPS

  /** Throws TooMuchToRead when nothing is left. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new TooMuchToRead()
  }
}

/** What parsers keep of a text: its link definitions; and the budget for reading it. */
export interface Environment extends Record<string | symbol, unknown> {
  readonly budget: Budget
}

const creators = [createParser, createOldParser]
const plain = creators.map(createReader)
const editors = creators.map(createReader).map(asEditor)

/**
 * Parsers for all ways in which readers may read a Markdown message: as md-editor-v3 4.9, which the
 * client shows them with, on markdown-it 13; as later ones, on 15, which ends code and link
 * definitions elsewhere; and plainly, where formulas and admonitions turn code into raw HTML.
 */
export function readersOf(text: string): readonly MarkdownIt[] {
  return needsEditor(text) ? [...plain, ...editors] : plain
}

/** Parses a text. Throws TooMuchToRead. */
export function read(
  reader: MarkdownIt,
  text: string,
  budget: Budget,
): { tokens: Token[]; env: Environment } {
  budget.spend(SIGN_STEPS * count(text, SIGN) + STOP_STEPS * count(text, STOP))
  // From each of these, parsers look for an end through the whole text.
  budget.spend(Math.floor((count(text, /<[!?]/g) * text.length) / SEARCHED_A_STEP))
  budget.spend(Math.floor(addressCharacters(text) / READ_A_STEP))
  // From where each quotation begins, for lines that may still belong to it.
  budget.spend(Math.floor((count(text, QUOTATION) * count(text, /\n/g)) / LINES_A_STEP))
  const env = { budget }
  return { tokens: reader.parse(text, env), env }
}

function count(text: string, sign: RegExp): number {
  return text.match(sign)?.length ?? 0
}

/** Characters that parsers read in search of where addresses end: each up to the next space. */
function addressCharacters(text: string): number {
  let characters = 0
  for (const word of text.split(/\s/)) {
    if (word.includes('](')) characters += count(word, /\]\(/g) * word.length
  }
  return characters
}

function createReader(create: typeof createParser): MarkdownIt {
  const reader = create({ html: true, breaks: true })
  for (const part of [reader.block, reader.inline]) countTokens(part)
  const { inline } = reader
  const normalizeLink = reader.normalizeLink.bind(reader)
  const skipToken = inline.skipToken.bind(inline)
  inline.skipToken = (state: StateInline) => {
    ;(state.env as Environment).budget.spend(1)
    skipToken(state)
  }
  // Encoding names of hosts takes time, and does not change what leads to the web.
  reader.normalizeLink = (url) => (/^https?:\/\//i.test(url) ? url : normalizeLink(url))
  return reader
}

interface State {
  readonly env: Environment
  push(...token: unknown[]): Token
}

function countTokens(part: { State: unknown }): void {
  const Counted = part.State as new (...parts: unknown[]) => State
  part.State = class extends Counted {
    override push(...token: unknown[]): Token {
      this.env.budget.spend(TOKEN_STEPS)
      return super.push(...token)
    }
  }
}
