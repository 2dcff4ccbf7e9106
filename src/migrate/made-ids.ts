import { createHash } from 'node:crypto'

/**
 * The id of a row that the original lacks: of the same second as the one that it goes with, and the
 * same in every import.
 */
export function madeId(id: string, what: string): string {
  const digest = createHash('sha256').update(`${what} ${id}`).digest('hex')
  return id.slice(0, 8) + digest.slice(0, 16)
}
