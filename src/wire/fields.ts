import { z } from 'zod'
import { isId } from './ids.ts'

/** Message of a rule that the document does not list: such a value gets the endpoint's failure. */
export const UNDOCUMENTED = 'not documented'

/** Text that PostgreSQL can store as it is: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** Length in code points, as the document's limits count (behaviour.md 3). */
export function codePoints(text: string): number {
  return Array.from(text).length
}

/**
 * A text. Rules added to it are all reported; end with `.prefault('')` where it must be there, so
 * that a missing one is reported like an empty one.
 *
 * @param malformed what the 405 list says of a value that is no storable text
 */
export function text(malformed = UNDOCUMENTED) {
  // Aborting: a value that is no text fails one rule, not those for its form too.
  return z.string({ error: malformed }).refine(isStorable, { error: malformed, abort: true })
}

/** A text that must be there and not empty; `missing` is its line in the 405 list. */
export function required(missing = UNDOCUMENTED, most = 1_000_000) {
  return text().min(1, missing).max(most, UNDOCUMENTED).prefault('')
}

/** An id that must be there; a malformed one is not in the 405 list. */
export function requiredId(missing = UNDOCUMENTED) {
  return text()
    .min(1, missing)
    .refine((value) => value === '' || isId(value), UNDOCUMENTED)
    .prefault('')
}

/** A text of at most `limit` code points; `tooLong` is its line in the 405 list. */
export function atMost(limit: number, tooLong: string) {
  return text(tooLong).refine((value) => codePoints(value) <= limit, tooLong)
}

/** Code points in a space, a comment or a note at most. */
const LONGEST_WRITING = 5_000

/** What people write into spaces, comments and notes. */
export function writing() {
  return atMost(LONGEST_WRITING, UNDOCUMENTED)
}

/** A body that is the second one where `meantSecond` says so, and else the first. */
export function eitherBody<First extends z.ZodType, Second extends z.ZodType>(
  first: First,
  second: Second,
  meantSecond: (body: unknown) => boolean,
) {
  return z.unknown().transform((body, context): z.output<First> | z.output<Second> => {
    const parsed = (meantSecond(body) ? second : first).safeParse(body)
    if (parsed.success) return parsed.data
    for (const { path, message } of parsed.error.issues) {
      context.addIssue({ code: 'custom', path, message })
    }
    return z.NEVER
  })
}

/** No list has as many pages; twenty times it is still a bigint. */
const LAST_PAGE = 1e12

const page = z
  .string()
  .regex(/^[1-9]\d{0,99}$/)
  .transform((digits) => Math.min(Number(digits), LAST_PAGE))

/** `pageNum`: a positive whole number; missing means 1 (behaviour.md 6). */
export const pageNumber = page.prefault('1')

/** `pageNum` of a list that comes whole without it. */
export const optionalPage = page.optional()
