import { passwordForm, type Passwords } from '../accounts/passwords.ts'
import type { UserRow } from './collections/users.ts'
import { detailsOf, loadDetails } from './details.ts'
import { countEarlier, openSeen } from './earlier.ts'
import { loadErased } from './erased.ts'
import { comparableText, textOf } from './extended-json.ts'
import { findKnown, findQuarantined, type Known } from './ledger.ts'
import { COLLECTIONS } from './mapping.ts'
import { isRemembered } from './passwords.ts'
import { Reader } from './reader.ts'
import { isErased, type Reject } from './rejects.ts'
import { restore } from './remainder.ts'
import { add, listed, sum, table } from './report.ts'
import type { Mending, Reason } from './rules.ts'
import type { Run, RunFacts } from './run.ts'
import { fileOf, readSources, type Source } from './sources.ts'
import type { Translation } from './translation.ts'
import { type AnyRow, TRANSLATIONS } from './translations.ts'
import { readUnknown } from './unknown.ts'
import { loadZones } from './zones.ts'

const BATCH = 1_000
/** Fewer people at a time: their passwords are tried. */
const USERS_TOGETHER = 50
/** Documents that are named when they are missing or different. */
const MOST_NAMED = 20

/** How what the database would give back compares to one collection of a dump. */
export interface Verdicts {
  equal: number
  /** Documents that were mended, and by which rules. */
  mended: number
  readonly rules: Map<Mending, number>
  readonly quarantined: Map<Reason, number>
  /** In the database, but not as the dump has them: changed here or there since the import. */
  different: number
  /** Imported, and deleted here since then: a note, a friendship, a membership, a dissolved group. */
  gone: number
  /** Of people whom `database:erase` deleted. */
  erased: number
  /** Documents of earlier dumps that are in the database and not in this dump. */
  earlier: number
  /** Lost: neither in the database nor known to have been there. */
  missing: number
}

/** Compares a dump with what the database would give back of it. */
export class Verification {
  readonly collections = new Map<string, Verdicts>()
  /** The first documents that are missing or different. */
  readonly named: string[] = []

  of(name: string): Verdicts {
    const known = this.collections.get(name)
    if (known !== undefined) return known
    const verdicts: Verdicts = {
      ...{ equal: 0, mended: 0, gone: 0, erased: 0, earlier: 0, different: 0, missing: 0 },
      rules: new Map(),
      quarantined: new Map(),
    }
    this.collections.set(name, verdicts)
    return verdicts
  }

  /** Whether every document is where it should be. */
  get passed(): boolean {
    return [...this.collections.values()].every((one) => one.missing === 0 && one.different === 0)
  }

  fail(name: string, verdict: 'different' | 'missing', id: string | null): void {
    this.of(name)[verdict] += 1
    if (this.named.length < MOST_NAMED) this.named.push(`${verdict}: ${name} ${id ?? '(no id)'}`)
  }

  toString(): string {
    const head = [
      ...['collection', 'equal', 'mended', 'quarantined', 'gone', 'erased', 'earlier'],
      ...['different', 'missing'],
    ]
    const rows = [...this.collections].map(([name, verdicts]) => [
      name,
      verdicts.equal,
      verdicts.mended,
      sum(verdicts.quarantined),
      verdicts.gone,
      verdicts.erased,
      verdicts.earlier,
      verdicts.different,
      verdicts.missing,
    ])
    const lines = [...this.collections].flatMap(([name, { rules, quarantined }]) => [
      ...listed(`${name} mended`, rules),
      ...listed(`${name} quarantined`, quarantined),
    ])
    return [table(head, rows), ...lines, ...this.named].join('\n')
  }
}

/** Reads a dump again and compares every document with what the database would give back. */
export async function verifyDump(given: Omit<Run, RunFacts>): Promise<Verification> {
  await openSeen(given.db)
  const run: Run = {
    ...{ ...given, importId: 0 },
    ...{ detailed: await loadDetails(given), erased: await loadErased(given.db) },
    timesOf: await loadZones(given.db, given.times),
  }
  const found = new Verification()
  for (const collection of COLLECTIONS) {
    if (fileOf(run, collection) === undefined) continue
    found.of(collection)
    const size = collection === 'users' ? USERS_TOGETHER : BATCH
    const onBroken = (broken: Reject[]) => compareKept(run, found, collection, broken)
    for await (const sources of readSources(run, collection, size, onBroken)) {
      await compare(run, found, TRANSLATIONS[collection], sources)
    }
    found.of(collection).erased += run.report.of(collection).erased
    found.of(collection).earlier = await countEarlier(run.db, collection)
  }
  for await (const [name, documents] of readUnknown(run)) {
    await compareKept(run, found, name, documents)
  }
  run.progress.end()
  return found
}

/** Documents that no row can stand for must be in the quarantine. */
async function compareKept(
  run: Run,
  found: Verification,
  name: string,
  documents: readonly Reject[],
): Promise<void> {
  const digests = documents.map(({ source }) => source.digest)
  const kept = await findQuarantined(run.db, name, digests)
  for (const { source } of documents) {
    const reason = kept.get(source.digest.toString('hex'))
    const id = 'text' in source ? source.text.slice(0, 80) : source.documentId
    if (isErased(run, source)) found.of(name).erased += 1
    else if (reason === undefined) found.fail(name, 'missing', id)
    else add(found.of(name).quarantined, reason, 1)
  }
}

async function compare(
  run: Run,
  found: Verification,
  translation: Translation<AnyRow>,
  sources: readonly Source[],
): Promise<void> {
  const { collection } = translation
  const verdicts = found.of(collection)
  const ids = sources.map((source) => idOf(run, source))
  const known = ids.filter((id) => id !== undefined)
  const [documents, kept, list] = [
    await findKnown(run.db, collection, known),
    await findQuarantined(
      run.db,
      collection,
      sources.map(({ digest }) => digest),
    ),
    await translation.find(run.db, known),
  ]
  const rows = new Map(list.map((row) => [row.id, row]))
  for (const [index, source] of sources.entries()) {
    const id = ids[index] ?? ''
    const [document, row] = [documents.get(id), rows.get(id)]
    const reason = kept.get(source.digest.toString('hex'))
    if (document && row && (await isEqual(run, translation, source, document, row))) {
      if (document.mended.length === 0) verdicts.equal += 1
      else verdicts.mended += 1
      for (const rule of document.mended) add(verdicts.rules, rule, 1)
    } else if (reason !== undefined) add(verdicts.quarantined, reason, 1)
    else if (document && row === undefined) verdicts.gone += 1
    else found.fail(collection, document ? 'different' : 'missing', source.documentId)
  }
}

function idOf(run: Run, source: Source): string | undefined {
  try {
    return new Reader(source, run.times).id
  } catch {
    return undefined
  }
}

async function isEqual(
  run: Run,
  translation: Translation<AnyRow>,
  source: Source,
  known: Known,
  row: AnyRow,
): Promise<boolean> {
  const times = run.timesOf(known)
  const document = restore(translation.render(row, times), known.remainder)
  if (comparableText(document) !== comparableText(source.document)) return false
  if (source.details !== undefined) {
    const { details: columns, places = [] } = translation
    const details = detailsOf(translation, row, document, times, columns) ?? {}
    const unmoved = Object.entries(source.details).filter(([key]) => !places.includes(key))
    if (textOf(details) !== textOf(Object.fromEntries(unmoved))) return false
  }
  return (
    translation.collection !== 'users' ||
    keepsPassword(source.password, row as UserRow, known, run.passwords)
  )
}

/** Whether the password of a document still opens the account, as far as a hash can tell. */
async function keepsPassword(
  password: string | undefined,
  { passwordHash }: UserRow,
  { remainder }: Known,
  passwords: Passwords,
): Promise<boolean> {
  if (!(await isRemembered(password, remainder?.password, passwords))) return false
  if (password === undefined) return passwordHash === remainder?.password
  const form = passwordForm(password)
  if (form === 'plain') return passwords.verify(passwordHash, password)
  const isAsImported = passwordHash === (form === 'md5' ? remainder?.password : password)
  // A login replaced it, after it had been verified.
  return isAsImported || passwordHash.startsWith('$argon2id$')
}
