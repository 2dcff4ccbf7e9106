import { statement } from '../database/connection.ts'
import { comments } from './collections/comments.ts'
import { type Document, textOf } from './extended-json.ts'
import { importBatch, importPlain } from './plain.ts'
import { Reader } from './reader.ts'
import type { Run } from './run.ts'
import { type Source, toSource } from './sources.ts'

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
const takenAnswering = statement<[document: string, details: string | null]>(
  'replies_take_answering',
  `delete from replies where ordinal in (
    select r.ordinal from replies r
    where exists (select from comments c where c.id = r.parent_id)
    order by r.ordinal limit $1
  )
  returning document, details`,
)
const takenRest = statement<[document: string, details: string | null]>(
  'replies_take_rest',
  `delete from replies where ordinal in (select ordinal from replies order by ordinal limit $1)
  returning document, details`,
)

/** Imports comments, then what answers them, then what answers that, in whatever order they are. */
export async function importComments(run: Run): Promise<void> {
  await run.db.run(made)
  await importPlain(run, comments, { later: (sources) => setRepliesAside(run, sources) })
  await run.db.run(indexed)
  await run.db.run(analyzed)
  for (const taken of [takenAnswering, takenRest]) {
    for (;;) {
      const rows = await run.db.run(taken, [BATCH])
      if (rows.length === 0) break
      const sources = rows.map(([document, details]) =>
        toSource(
          JSON.parse(document) as Document,
          details === null ? undefined : (JSON.parse(details) as Document),
        ),
      )
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
