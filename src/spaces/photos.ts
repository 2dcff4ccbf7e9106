import { z } from 'zod'
import { text } from '../wire/fields.ts'

/** As many as one upload takes (endpoint 27). */
const MOST_PHOTOS = 9
/** A slash and the longest name that a file can have. */
const LONGEST_PATH = 256

/** What an upload answers: a slash and the name that it stored. */
const photoPath = text()
  .max(LONGEST_PATH)
  .regex(/^\/(?!\.)[^/\\#?%"'\p{Cc}]+$/u)

/**
 * `photos` of endpoint 28: JSON text as the document says, a key for each path as the client's
 * query-string writes arrays (so one plain path for a single one), or nothing.
 */
export const photoPaths = z
  .union([z.string(), z.array(z.string())])
  .prefault('')
  .transform((sent) => (typeof sent === 'string' ? pathsIn(sent) : sent))
  .pipe(z.array(photoPath).max(MOST_PHOTOS))

function pathsIn(sent: string): unknown {
  if (sent === '') return []
  if (!sent.startsWith('[')) return [sent]
  try {
    return JSON.parse(sent)
  } catch {
    return undefined
  }
}
