import { createHash } from 'node:crypto'
import { type Queryable, statement } from '../database/connection.ts'

const ERASED = statement<[digest: string]>(
  'erased_ids',
  "select encode(id_digest, 'hex') from erased_ids",
)
/** A text that is an id and nothing else, as JSON has it. */
const IDS = /"([0-9a-f]{24})"/gi

/** Tells what belongs to people whom `database:erase` deleted. */
export interface Erased {
  /** Whether a document, as JSON, is one of theirs or refers to one. */
  mentionedIn(text: string): boolean
}

/** Reads whom and what was erased; the ids themselves are not known any more. */
export async function loadErased(db: Queryable): Promise<Erased> {
  const digests = new Set((await db.run(ERASED)).map(([digest]) => digest))
  const isErased = (id: string) =>
    digests.has(createHash('sha256').update(id.toLowerCase()).digest('hex'))
  return {
    mentionedIn: (text) =>
      digests.size > 0 && [...text.matchAll(IDS)].some(([, id = '']) => isErased(id)),
  }
}
