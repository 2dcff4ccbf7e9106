import { statement } from '../../database/connection.ts'
import type { Run } from '../run.ts'
import type { Translation } from '../translation.ts'
import { recountSent } from './reads.ts'

/** From where on somebody sees a conversation, and up to where they read it. */
export interface Place {
  readonly startSeq: number | undefined
  readonly readSeq: number | undefined
}

/** A row that has a place. */
interface Placed extends Partial<Place> {
  readonly id: string
}

const placed = (table: string, conversation: string) => `
  with placed as (
    update ${table} p set start_seq = least(i.start_seq, c.last_seq),
      read_seq = least(greatest(i.start_seq, i.read_seq), c.last_seq)
    from unnest($1::text[], $2::bigint[], $3::bigint[]) as i (id, start_seq, read_seq),
      conversations c
    where p.id = i.id and ${conversation}
    returning c.id
  )
  select distinct id from placed`
const STATEMENTS = {
  friendships: statement<[conversationId: number]>(
    'places_of_friends',
    placed('friendships', "c.id = p.conversation_id and p.state = 'accepted'"),
  ),
  group_members: statement<[conversationId: number]>(
    'places_of_members',
    placed('group_members', "c.group_id = p.group_id and p.state = 'member'"),
  ),
} as const

/** Those of some rows that have a place and are not there yet. */
export async function newRows<Row extends Partial<Place> & { readonly id: string }>(
  { db }: Run,
  translation: Translation<Row>,
  rows: readonly Row[],
): Promise<Row[]> {
  const placed = rows.filter(({ readSeq }) => readSeq !== undefined)
  if (placed.length === 0) return []
  const there = await translation.find(
    db,
    placed.map(({ id }) => id),
  )
  const ids = new Set(there.map(({ id }) => id))
  return placed.filter(({ id }) => !ids.has(id))
}

/**
 * Puts people where an export says that they were in their conversations: what the documents say of
 * reading does not tell all of it. What they had sent then is counted.
 *
 * @param rows those of `newRows`, asked before they were stored: others have moved on since
 */
export async function restorePlaces(
  run: Run,
  table: keyof typeof STATEMENTS,
  rows: readonly Placed[],
): Promise<void> {
  if (rows.length === 0) return
  const conversations = await run.db.run(STATEMENTS[table], [
    rows.map(({ id }) => id),
    rows.map(({ startSeq }) => startSeq ?? 0),
    rows.map(({ readSeq }) => readSeq),
  ])
  await recountSent(
    run,
    conversations.map(([id]) => id),
  )
}
