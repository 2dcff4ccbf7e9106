import type { Message } from '../../database/schema.ts'
import { gateAttachment, gateCallNote } from './attachments.ts'
import { escapeMarkup, gateHtml } from './html.ts'
import { gateMarkdown } from './markdown.ts'

type Kind = Message['kind']

/**
 * What is done to the body of each kind, so that it cannot harm its reader, whose window runs
 * what it shows with Node rights. Undefined: there is nothing harmless to make of it.
 */
const GATES: Record<Kind, (body: string) => string | undefined> = {
  text: gateHtml,
  emoji: gateHtml,
  markdown: gateMarkdown,
  picture: gateAttachment,
  video: gateAttachment,
  file: gateAttachment,
  voice_call: gateCallNote,
  video_call: gateCallNote,
  screen_share: gateCallNote,
}

/**
 * The body to store for a message: byte for byte what was sent if the client can have produced
 * it, else with what could run turned into visible text. Undefined when it is refused. What has
 * passed once passes unchanged.
 */
export function gate(kind: Kind, body: string): string | undefined {
  return GATES[kind](body)
}

/**
 * The same for a message of another server's history, which is not refused: what is not what its
 * kind promises becomes a text message that shows it.
 */
export function gateImported(kind: Kind, body: string): { kind: Kind; body: string } {
  const gated = gate(kind, body)
  return gated === undefined ? { kind: 'text', body: escapeMarkup(body) } : { kind, body: gated }
}
