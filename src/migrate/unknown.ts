import { readPieces } from './dump/dump.ts'
import { DETAILS } from './mapping.ts'
import { blotted } from './passwords.ts'
import { keepRejects, type Reject } from './rejects.ts'
import type { Run } from './run.ts'
import { toSource, undecodable } from './sources.ts'

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
    let rejects: Reject[] = []
    for await (const pieces of readPieces(file, (bytes) => run.progress.advance(bytes))) {
      run.report.of(name).documents += pieces.length
      for (const piece of pieces) {
        rejects.push({
          source:
            'document' in piece
              ? toSource(piece.document)
              : undecodable(blotted(piece.broken, 'password')),
          reason: 'document' in piece ? 'collection-unknown' : 'not-decodable',
          detail: '',
        })
        if (rejects.length < BATCH) continue
        yield [name, rejects]
        rejects = []
      }
    }
    yield [name, rejects]
  }
}
