import { statement } from '../database/connection.ts'
import { comments } from './collections/comments.ts'
import { BATCH_BYTES } from './dump/batches.ts'
import { textOf } from './extended-json.ts'
import { importBatch, importPlain } from './plain.ts'
import { Reader } from './reader.ts'
import type { Run } from './run.ts'
import { type Source, sourceOf } from './sources.ts'

/** Replies that are imported together. */
const BATCH = 1_000

const made = statement(
  'replies_make',
  `create temp table replies (
    ordinal bigint generated always as identity primary key,
    parent_id text, document text, details text
  )`,
)
const filled = statement(
  'replies_fill',
  `insert into replies (parent_id, document, details)
  select * from unnest($1::text[], $2::text[], $3::text[])`,
)
const indexed = statement('replies_index', 'create index on replies (parent_id)')
const analyzed = statement('replies_analyze', 'analyze replies')
const taken = (condition: string) => `delete from replies where ordinal in (
    select ordinal
    from (
      select ordinal,
        sum(octet_length(document)) over (order by ordinal) - octet_length(document) as bytes_before
      from (select * from replies r where ${condition} order by ordinal limit $1) page
    ) measured
    where bytes_before < ${BATCH_BYTES}
  )
  returning document, details`
const takenAnswering = statement<[document: string, details: string | null]>(
  'replies_take_answering',
  taken('exists (select from comments c where c.id = r.parent_id)'),
)
const takenRest = statement<[document: string, details: string | null]>(
  'replies_take_rest',
  taken('true'),
)

/** Imports comments, then what answers them, then what answers that, in whatever order they are. */
export async function importComments(run: Run): Promise<void> {
  await run.db.run(made)
  await importPlain(run, comments, { later: (sources) => setRepliesAside(run, sources) })
  await run.db.run(indexed)
  await run.db.run(analyzed)
  for (const next of [takenAnswering, takenRest]) {
    for (;;) {
      const rows = await run.db.run(next, [BATCH])
      if (rows.length === 0) break
      const sources = rows.map(([document, details]) => sourceOf(document, details))
      await importBatch(run, comments, sources)
    }
  }
}

async function setRepliesAside(run: Run, sources: readonly Source[]): Promise<Source[]> {
  const replies: [Source, parentId: string][] = []
  const others: Source[] = []
  for (const source of sources) {
    const parentId = parentOf(run, source)
    if (parentId === undefined) others.push(source)
    else replies.push([source, parentId])
  }
  await run.db.run(filled, [
    replies.map(([, parentId]) => parentId),
    replies.map(([{ document }]) => textOf(document)),
    replies.map(([{ details }]) => (details === undefined ? null : textOf(details))),
  ])
  return others
}

/** What a reply answers; undefined for a comment, and for what cannot be read. */
function parentOf(run: Run, source: Source): string | undefined {
  try {
    return comments.read(new Reader(source, run.times)).parentId ?? undefined
  } catch {
    return undefined
  }
}
