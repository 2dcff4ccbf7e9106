import type { Message } from '../database/schema.ts'
import { codePoints, isStorable } from '../wire/fields.ts'

type Kind = Message['kind']

/** The wire's `msgType` of each kind is its place in this list. */
const KINDS: readonly Kind[] = [
  'text',
  'picture',
  'video',
  'file',
  'emoji',
  'markdown',
  'voice_call',
  'video_call',
  'screen_share',
]

const KIBIBYTE = 1024
/** Longest body of each kind (behaviour.md 6): text in characters, the others in bytes. */
const MOST_CHARACTERS: Partial<Record<Kind, number>> = {
  text: 20_000,
  emoji: 20_000,
  voice_call: 2_000,
  video_call: 2_000,
  screen_share: 2_000,
}
const MOST_BYTES: Partial<Record<Kind, number>> = {
  markdown: 64 * KIBIBYTE,
  picture: KIBIBYTE * KIBIBYTE,
  video: KIBIBYTE * KIBIBYTE,
  file: KIBIBYTE * KIBIBYTE,
}

/** The wire's number for a kind. */
export function msgType(kind: Kind): number {
  return KINDS.indexOf(kind)
}

/** The kind that a `msgType` stands for; undefined when it stands for none. */
export function kindOf(number: number): Kind | undefined {
  return KINDS[number]
}

/** Whether a body is a text that is not too long for its kind (behaviour.md 6). */
export function isAcceptable(kind: Kind, body: string): boolean {
  if (!isStorable(body)) return false
  const characters = MOST_CHARACTERS[kind] ?? Infinity
  const bytes = MOST_BYTES[kind] ?? Infinity
  // A string never has more code points than UTF-16 units, nor fewer bytes.
  if (body.length > characters && codePoints(body) > characters) return false
  return body.length <= bytes && Buffer.byteLength(body) <= bytes
}
