import { type Session, statement } from '../../database/connection.ts'
import { type Candidate, countImported, imported, refuse } from '../candidates.ts'
import { differOnlyInState, type MessageRow } from '../collections/messages.ts'
import { recordImported } from '../ledger.ts'
import { restore } from '../remainder.ts'
import type { Run } from '../run.ts'
import type { Translation } from '../translation.ts'
import { advanceReads } from './reads.ts'

const conversationsOf = statement<[id: number]>(
  'messages_conversations_of',
  'select distinct conversation_id from messages where id = any ($1::text[])',
)

/**
 * Takes over that imported messages were read in the original meanwhile. Nothing else of a message
 * ever changes; one that did is refused.
 */
export async function applyStates(
  run: Run,
  translation: Translation<MessageRow>,
  candidates: readonly Candidate<MessageRow>[],
): Promise<void> {
  if (candidates.length === 0) return
  const { collection } = translation
  const ids = candidates.map(({ row }) => row.id)
  const rows = new Map((await translation.find(run.db, ids)).map((row) => [row.id, row]))
  const changed: Candidate<MessageRow>[] = []
  for (const candidate of candidates) {
    const { source, reader, known, row } = candidate
    const now = rows.get(row.id)
    const before = now && restore(translation.render(now, run.timesOf(known)), known?.remainder)
    if (now === undefined || !before || !differOnlyInState(source.document, before)) {
      refuse(candidate, 'message-changed', row.id)
      continue
    }
    // What was read here stays read.
    if (row.read === false && now.read === true) reader.mended.add('late-message-read')
    changed.push(candidate)
  }
  if (changed.length === 0) return
  await run.db.transaction(async () => {
    await recordImported(
      run.db,
      run.importId,
      collection,
      changed.map((one) => ({ ...imported(run, translation, one), read: one.row.read })),
    )
    await advanceReads(run, await conversations(run.db, changed))
  })
  countImported(run, collection, changed)
}

async function conversations(
  db: Session,
  candidates: readonly Candidate<MessageRow>[],
): Promise<number[]> {
  const rows = await db.run(conversationsOf, [candidates.map(({ row }) => row.id)])
  return rows.map(([id]) => id)
}
