import { textOf } from './extended-json.ts'
import { findQuarantined, noteRejected, quarantine } from './ledger.ts'
import { withHash } from './passwords.ts'
import type { Reason } from './rules.ts'
import type { Run } from './run.ts'
import type { Source } from './sources.ts'

/** A document that no row can stand for, or the text of what is no document. */
export interface Reject {
  readonly source: Pick<Source, 'document' | 'password' | 'digest' | 'documentId'> | UndecodableText
  readonly reason: Reason
  readonly detail: string
}

export interface UndecodableText {
  readonly text: string
  readonly digest: Buffer
}

/**
 * Keeps documents in the quarantine.
 *
 * @param name collection, as we call it; for an unknown one as the dump does
 */
export async function keepRejects(
  run: Run,
  name: string,
  refused: readonly Reject[],
): Promise<void> {
  const rejects = refused.filter(({ source }) => !isErased(run, source))
  run.report.of(name).erased += refused.length - rejects.length
  if (rejects.length === 0) return
  for (const { reason } of rejects) run.report.quarantined(name, reason)
  const ids = rejects.flatMap(({ source }) => ('text' in source ? [] : (source.documentId ?? [])))
  await noteRejected(run.db, name, ids)
  const digests = rejects.map(({ source }) => source.digest)
  const kept = await findQuarantined(run.db, name, digests)
  const entries = []
  for (const { source, reason, detail } of rejects) {
    if (kept.get(source.digest.toString('hex')) === reason) continue
    const undecodable = 'text' in source
    const document = undecodable
      ? undefined
      : await withHash(source.document, source.password, run.passwords)
    entries.push({
      digest: source.digest,
      documentId: undecodable ? null : source.documentId,
      reason,
      detail,
      text: undecodable ? source.text : textOf(document ?? null),
    })
  }
  await quarantine(run.db, run.importId, name, entries)
}

/** Whether what cannot be stored belongs to somebody who was erased; see `erased.ts`. */
export function isErased({ erased }: Pick<Run, 'erased'>, source: Reject['source']): boolean {
  return erased.mentionedIn('text' in source ? source.text : textOf(source.document))
}
