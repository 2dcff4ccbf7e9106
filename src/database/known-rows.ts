/**
 * The rows of a list that is outer-joined to whose it is: that gives one empty row for somebody
 * without any, and none for somebody unknown.
 *
 * @returns undefined for somebody unknown
 */
export function knownRows<Row extends readonly unknown[]>(rows: Row[]): Row[] | undefined {
  if (rows.length === 0) return undefined
  return rows[0]?.[0] === null ? [] : rows
}
