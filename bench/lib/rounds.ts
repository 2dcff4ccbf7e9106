/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? NaN
}

/**
 * Measures contestants in turns, so that whatever else the machine does troubles them alike.
 *
 * @returns the median of each, in their order; the first round warms up and does not count
 */
export async function alternate(
  rounds: number,
  ...contestants: readonly (() => Promise<number>)[]
): Promise<number[]> {
  const results = contestants.map((): number[] => [])
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, measure] of contestants.entries()) {
      const result = await measure()
      if (round > 0) results[index]?.push(result)
    }
  }
  return results.map(median)
}

/** Does a piece of work so many times, so many at a time. */
export async function repeat(
  times: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < times) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
