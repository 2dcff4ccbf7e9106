import type { Mending, Reason } from './rules.ts'

/** What became of the documents of one collection. */
export interface Counts {
  documents: number
  new: number
  changed: number
  unchanged: number
  /** Those of people whom `database:erase` deleted: they are not stored. */
  erased: number
  /** Documents of earlier dumps that are in the database and not in this dump. */
  earlier: number
  readonly mended: Map<Mending, number>
  readonly quarantined: Map<Reason, number>
}

/** Counts what becomes of documents, by collection. */
export class Report {
  readonly collections = new Map<string, Counts>()
  /** Why what follows in a file could not be read, a sentence each. */
  readonly damages = new Set<string>()

  of(collection: string): Counts {
    const known = this.collections.get(collection)
    if (known !== undefined) return known
    const counts: Counts = {
      documents: 0,
      new: 0,
      changed: 0,
      unchanged: 0,
      erased: 0,
      earlier: 0,
      mended: new Map(),
      quarantined: new Map(),
    }
    this.collections.set(collection, counts)
    return counts
  }

  mended(collection: string, rules: Iterable<Mending>, number = 1): void {
    const { mended } = this.of(collection)
    for (const rule of rules) add(mended, rule, number)
  }

  quarantined(collection: string, reason: Reason): void {
    add(this.of(collection).quarantined, reason, 1)
  }

  /** As it is kept in `imports.counts`. */
  toJSON(): Record<string, unknown> {
    const entries = [...this.collections].map(
      ([collection, { mended, quarantined, ...counts }]) => [
        collection,
        {
          ...counts,
          mended: Object.fromEntries(mended),
          quarantined: Object.fromEntries(quarantined),
        },
      ],
    )
    return Object.fromEntries(entries) as Record<string, unknown>
  }

  /** A table for people, and what stands behind some of its columns. */
  toString(): string {
    const head = [
      ...['collection', 'documents', 'new', 'changed', 'unchanged', 'quarantined', 'erased'],
      'earlier',
    ]
    const rows = [...this.collections].map(([collection, counts]) => [
      collection,
      counts.documents,
      counts.new,
      counts.changed,
      counts.unchanged,
      sum(counts.quarantined),
      counts.erased,
      counts.earlier,
    ])
    const lines = [...this.collections].flatMap(([collection, { mended, quarantined }]) => [
      ...listed(`${collection} mended`, mended),
      ...listed(`${collection} quarantined`, quarantined),
    ])
    return [table(head, rows), ...lines, ...this.damages].join('\n')
  }
}

/** Lines such as `users mended: nick-cut 3, sign-cut 1`; none when there is nothing to say. */
export function listed(title: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return []
  const items = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return [`${title}: ${items.map(([name, number]) => `${name} ${number}`).join(', ')}`]
}

/** Columns of even width, the first aligned left, the others right. */
export function table(head: readonly string[], rows: readonly (string | number)[][]): string {
  const all = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0
          return column === 0 ? cell.padEnd(width) : cell.padStart(width)
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, number) => total + number, 0)
}

export function add<Key>(counts: Map<Key, number>, key: Key, number: number): void {
  counts.set(key, (counts.get(key) ?? 0) + number)
}
