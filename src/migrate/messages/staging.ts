import { type Queryable, statement } from '../../database/connection.ts'
import { accepted, type Candidate, imported, refuse, rejectOf, sift } from '../candidates.ts'
import { groupMessages, type MessageRow, privateMessages } from '../collections/messages.ts'
import { ledgerColumns } from '../ledger.ts'
import { refuseUnknown } from '../references.ts'
import { keepRejects, type Reject } from '../rejects.ts'
import type { Run } from '../run.ts'
import { readSources } from '../sources.ts'
import type { Translation } from '../translation.ts'
import { applyStates } from './states.ts'

/** Documents that are looked up and staged together. */
const BATCH = 2_000

const made = statement(
  'messages_make_staged',
  `create temp table staged_messages (
    collection source_collection not null,
    document_id text,
    id text collate "C" primary key,
    sender_id text not null,
    target_id text not null,
    kind message_kind not null,
    body text not null,
    sent_at timestamptz not null,
    place bigint not null,
    digest text not null,
    read boolean,
    mended text,
    remainder text
  )`,
)
const staged = statement<[id: string]>(
  'messages_stage',
  `insert into staged_messages
  select $1, document_id, id, sender_id, target_id, kind, body, sent_at, place, digest, read,
    mended, remainder
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::message_kind[], $7::text[],
    $8::timestamptz[], $9::bigint[], $10::text[], $11::boolean[], $12::text[], $13::text[])
    as i (document_id, id, sender_id, target_id, kind, body, sent_at, place, digest, read,
      mended, remainder)
  on conflict (id) do nothing
  returning id`,
)
const stored = statement<[id: string]>(
  'messages_stored_ids',
  'select id from messages where id = any ($1::text[])',
)
const indexed = statement(
  'messages_index_staged',
  'create index on staged_messages (place, sent_at, id collate "C")',
)
// Places of an export mean something where all have one, after all that is there.
const displaced = statement(
  'messages_displace_staged',
  `update staged_messages set place = 0
  where (select min(place) from staged_messages)
    <= (select coalesce(max(position), 0) from messages)`,
)
const analyzed = statement('messages_analyze_staged', 'analyze staged_messages')
const counted = statement<[count: number]>(
  'messages_count_staged',
  'select count(*) from staged_messages',
)

/**
 * Reads all messages of the dump that are new into a table of the session, from where they can be
 * taken in the order of an export, else of time.
 *
 * @returns how many there are
 */
export async function stageMessages(run: Run): Promise<number> {
  await run.db.run(made)
  await stage(run, privateMessages)
  await stage(run, groupMessages)
  if (run.detailed) await run.db.run(displaced)
  await run.db.run(indexed)
  await run.db.run(analyzed)
  const [row] = await run.db.run(counted)
  return row?.[0] ?? 0
}

async function stage(run: Run, translation: Translation<MessageRow>): Promise<void> {
  const { collection } = translation
  const onBroken = (broken: Reject[]) => keepRejects(run, collection, broken)
  for await (const sources of readSources(run, collection, BATCH, onBroken)) {
    const { fresh, rejects } = await sift(run, collection, sources)
    const candidates: Candidate<MessageRow>[] = []
    for (const { source, reader, known } of fresh) {
      try {
        const row = translation.read(reader)
        candidates.push({ source, reader, known, row, rejection: undefined })
      } catch (error) {
        rejects.push(rejectOf(source, error))
      }
    }
    await refuseStrangers(run.db, translation, candidates)
    const changed = candidates.filter(({ known }) => known !== undefined)
    await applyStates(run, translation, accepted(changed))
    const added = candidates.filter(({ known }) => known === undefined)
    await refuseTwins(run, translation, added)
    for (const { source, rejection } of candidates) {
      if (rejection !== undefined) rejects.push(rejectOf(source, rejection))
    }
    await keepRejects(run, collection, rejects)
    const counts = run.report.of(collection)
    for (const { reader } of accepted(added)) {
      counts.new += 1
      run.report.mended(collection, reader.mended)
    }
  }
}

async function refuseStrangers(
  db: Queryable,
  { collection }: Translation<MessageRow>,
  candidates: readonly Candidate<MessageRow>[],
): Promise<void> {
  if (collection === 'private_chats') {
    await refuseUnknown(db, candidates, 'users', (row) => [row.senderId, row.targetId])
  } else {
    await refuseUnknown(db, candidates, 'users', (row) => [row.senderId])
    await refuseUnknown(db, candidates, 'groups', (row) => [row.targetId])
  }
}

/** Stages documents; an id that another message has already is refused. */
async function refuseTwins(
  run: Run,
  translation: Translation<MessageRow>,
  candidates: readonly Candidate<MessageRow>[],
): Promise<void> {
  const ids = candidates.map(({ row }) => row.id)
  const taken = new Set((await run.db.run(stored, [ids])).map(([id]) => id))
  for (const candidate of candidates) {
    if (taken.has(candidate.row.id)) refuse(candidate, 'id-twice', candidate.row.id)
  }
  const good = accepted(candidates)
  const [, digests, read, mended, remainders] = ledgerColumns(
    good.map((one) => ({ ...imported(run, translation, one), read: one.row.read })),
  )
  const rows = await run.db.run(staged, [
    translation.collection,
    good.map(({ source }) => source.documentId),
    good.map(({ row }) => row.id),
    good.map(({ row }) => row.senderId),
    good.map(({ row }) => row.targetId),
    good.map(({ row }) => row.kind),
    good.map(({ row }) => row.body),
    good.map(({ row }) => row.sentAt),
    good.map(({ row }) => row.position),
    digests,
    read,
    mended,
    remainders,
  ])
  const kept = new Set(rows.map(([id]) => id))
  for (const candidate of good) {
    if (!kept.has(candidate.row.id)) refuse(candidate, 'id-twice', candidate.row.id)
  }
}
