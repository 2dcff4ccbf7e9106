import { createHash } from 'node:crypto'
import { type Queryable, statement } from '../database/connection.ts'
import { date, type Document } from './extended-json.ts'

/** What erased ids are called among the details of an export. */
const DETAILS_NAME = 'erased_ids'

const found = statement<[digest: string, erasedAt: Date]>(
  'erased_find',
  "select encode(id_digest, 'hex'), erased_at from erased_ids order by id_digest",
)
const taken = statement(
  'erased_take',
  `insert into erased_ids (id_digest, erased_at)
  select decode(split_part(key, ' ', 2), 'hex'),
    to_timestamp((details::json #>> '{erasedAt,$date,$numberLong}')::bigint / 1000.0)
  from details where key like '${DETAILS_NAME} %'
  on conflict do nothing`,
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
  const digests = new Set((await db.run(found)).map(([digest]) => digest))
  const isErased = (id: string) =>
    digests.has(createHash('sha256').update(id.toLowerCase()).digest('hex'))
  return {
    mentionedIn: (text) =>
      digests.size > 0 && [...text.matchAll(IDS)].some(([, id = '']) => isErased(id)),
  }
}

/** What was erased, as an export has it among its details. */
export async function erasedDetails(db: Queryable): Promise<Document[]> {
  const rows = await db.run(found)
  return rows.map(([digest, at]) => ({ _id: `${DETAILS_NAME} ${digest}`, erasedAt: date(at) }))
}

/** Takes over what was erased where an export comes from, after `loadDetails`. */
export async function takeErased(db: Queryable): Promise<void> {
  await db.run(taken)
}
