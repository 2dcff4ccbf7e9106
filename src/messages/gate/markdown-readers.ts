import createParser, { type MarkdownIt, type Token } from 'markdown-it'
import createOldParser from 'markdown-it-13'
import { asEditor, needsEditor } from './markdown-editor.ts'

/** What a parser makes of a usual message many times over; each costs about a microsecond. */
const MOST_TOKENS = 2_000

/** Reading a text takes longer than a message is worth. */
export class TooMuchToRead extends Error {}

/** Shared by everything that is read of one text: link definitions, and what may still be made. */
export interface Environment extends Record<string | symbol, unknown> {
  left: number
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

/** Parses a text. Throws TooMuchToRead instead of making more than a few thousand tokens. */
export function read(reader: MarkdownIt, text: string): { tokens: Token[]; env: Environment } {
  const env = { left: MOST_TOKENS }
  return { tokens: reader.parse(text, env), env }
}

function createReader(create: typeof createParser): MarkdownIt {
  const reader = create({ html: true, breaks: true })
  for (const part of [reader.block, reader.inline]) countTokens(part)
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
      this.env.left -= 1
      if (this.env.left < 0) throw new TooMuchToRead()
      return super.push(...token)
    }
  }
}
