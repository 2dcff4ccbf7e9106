import type { Queryable, Statement } from '../database/connection.ts'
import type { WireTimes } from '../wire/times.ts'
import type { Candidate } from './candidates.ts'
import type { Document } from './extended-json.ts'
import type { Collection } from './mapping.ts'
import type { Reader } from './reader.ts'
import type { Run } from './run.ts'

/** Turns documents of one collection into rows and back. */
export interface Translation<Row extends { readonly id: string }> {
  readonly collection: Collection
  /** The row that a document stands for. @throws Rejection */
  read(reader: Reader): Row
  /** The document that a row stands for, as the original would have written it. */
  render(row: Row, times: WireTimes): Document
  /** Columns that a document may not say exactly; an export keeps them as details then. */
  readonly details: readonly string[]
  /**
   * Columns that say where a row stands in its conversation: an export keeps them as details too,
   * but they move with use, so nothing is different because of them.
   */
  readonly places?: readonly string[]
  /** Mends and refuses what only the database can tell. */
  resolve?(run: Run, candidates: Candidate<Row>[]): Promise<void>
  /** Inserts rows, or brings them up to date. */
  store(db: Queryable, rows: readonly Row[]): Promise<void>
  /** Rows as they are now. */
  find(db: Queryable, ids: readonly string[]): Promise<Row[]>
  /** Ids of rows after one id, at most so many, in order; with the bytes of what may be long. */
  readonly page: Statement<[id: string, bytes?: number]>
}
