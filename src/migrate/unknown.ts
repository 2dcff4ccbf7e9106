import { readBatches } from './dump/batches.ts'
import type { Piece } from './dump/dump.ts'
import { DETAILS } from './mapping.ts'
import { blotted } from './passwords.ts'
import { keepRejects, type Reject } from './rejects.ts'
import type { Run } from './run.ts'
import { readingOf, toSource, undecodable } from './sources.ts'

/** Documents that are kept together. */
const BATCH = 1_000

/** Keeps the documents of collections that this server does not know. */
export async function keepUnknown(run: Run): Promise<void> {
  for await (const [name, rejects] of readUnknown(run)) await keepRejects(run, name, rejects)
}

/** Reads the collections that this server does not know, as they are kept. */
export async function* readUnknown(run: Run): AsyncGenerator<[name: string, Reject[]]> {
  for (const file of run.files) {
    const { name } = file
    if (name === DETAILS || run.mapping.isIgnored(name)) continue
    if (run.mapping.collectionOf(name) !== undefined) continue
    run.progress.step(name, file.bytes)
    run.report.of(name)
    for await (const pieces of readBatches(file, BATCH, readingOf(run))) {
      run.report.of(name).documents += pieces.length
      yield [name, pieces.map((piece) => toReject(run, piece))]
    }
  }
}

function toReject({ mapping: { passwordKey } }: Run, piece: Piece): Reject {
  if ('document' in piece) {
    const source = toSource(piece.document, { passwordKey })
    return { source, reason: 'collection-unknown', detail: '' }
  }
  const source = undecodable(blotted(piece.broken, passwordKey))
  return { source, reason: 'not-decodable', detail: '' }
}
