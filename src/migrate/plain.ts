import { type Candidate, type Fresh, rejectOf, settle, sift } from './candidates.ts'
import { keepRejects, type Reject } from './rejects.ts'
import type { Run } from './run.ts'
import { readSources, type Source } from './sources.ts'
import type { Translation } from './translation.ts'

/** Documents that are looked up and stored together. */
const BATCH = 1_000

/**
 * Imports a collection in which every document stands for one row of its own.
 *
 * @param later takes the documents of a batch that are to wait, and gives the others
 */
export async function importPlain<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  {
    size = BATCH,
    later = (sources) => Promise.resolve(sources),
  }: { size?: number; later?: (sources: Source[]) => Promise<Source[]> } = {},
): Promise<void> {
  const { collection } = translation
  const onBroken = (broken: Reject[]) => keepRejects(run, collection, broken)
  for await (const sources of readSources(run, collection, size, onBroken)) {
    await importBatch(run, translation, await later(sources))
  }
}

/** Imports some documents. */
export async function importBatch<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  sources: readonly Source[],
): Promise<void> {
  const { fresh, rejects } = await sift(run, translation.collection, sources)
  await importFresh(run, translation, fresh, rejects)
}

/** The same for documents that are known to be new, or not what they were. */
export async function importFresh<Row extends { readonly id: string }>(
  run: Run,
  translation: Translation<Row>,
  fresh: readonly Fresh[],
  rejects: Reject[] = [],
): Promise<void> {
  const candidates: Candidate<Row>[] = []
  for (const one of fresh) {
    try {
      const row = translation.read(one.reader)
      candidates.push({ ...one, row, rejection: undefined })
    } catch (error) {
      rejects.push(rejectOf(one.source, error))
    }
  }
  await translation.resolve?.(run, candidates)
  await settle(run, translation, candidates, rejects)
}
