/** The middle of a list of numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** The number below which a share of a list lies; NaN of none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((one, other) => one - other)
  return sorted[Math.floor((sorted.length - 1) * share)] ?? NaN
}

/** The quarters of a list of numbers, as one text: half of them lie between. */
export function spread(numbers: readonly number[], digits = 0): string {
  return [0.25, 0.75].map((share) => quantile(numbers, share).toFixed(digits)).join('-')
}

/** A Markdown table, padded so that it reads well as text too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(width[column] ?? 0)).join(' | ')} |`
  return [line(head), line(width.map((length) => '-'.repeat(length))), ...rows.map(line)].join('\n')
}
