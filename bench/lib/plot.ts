/** One line of a plot. */
export interface Series {
  readonly name: string
  readonly values: readonly number[]
}

const WIDTH = 720
const HEIGHT = 420
const LEFT = 60
const RIGHT = 200
const TOP = 40
const BOTTOM = 40
const COLORS = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377']

/** An SVG with both axes logarithmic; a flat line is a cost that does not grow. */
export function plot(title: string, sizes: readonly number[], series: readonly Series[]): string {
  const all = series.flatMap(({ values }) => values)
  const logs = { x: sizes.map(Math.log10), y: all.map((value) => Math.log10(Math.max(1, value))) }
  const scale = (value: number, from: readonly number[], low: number, high: number) => {
    const [least, most] = [Math.min(...from), Math.max(...from)]
    return low + ((value - least) / (most - least || 1)) * (high - low)
  }
  const x = (size: number) => scale(Math.log10(size), logs.x, LEFT, WIDTH - RIGHT)
  const y = (value: number) =>
    scale(Math.log10(Math.max(1, value)), [0, ...logs.y], HEIGHT - BOTTOM, TOP)
  const label = (text: string, atX: number, atY: number, anchor = 'middle') =>
    `<text x="${atX.toFixed(1)}" y="${atY.toFixed(1)}" text-anchor="${anchor}">${text}</text>`

  const lines = series.map(({ name, values }, index) => {
    const color = COLORS[index % COLORS.length] ?? 'black'
    const dash = index < COLORS.length ? '' : ' stroke-dasharray="5 3"'
    const points = values.map((value, n) => `${x(sizes[n] ?? 1).toFixed(1)},${y(value).toFixed(1)}`)
    const legend = TOP + index * 18
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`,
      `<line x1="${WIDTH - RIGHT + 14}" x2="${WIDTH - RIGHT + 34}" y1="${legend - 4}" y2="${legend - 4}" stroke="${color}" stroke-width="2"${dash}/>`,
      label(name, WIDTH - RIGHT + 40, legend, 'start'),
    ].join('\n')
  })
  const ticks = [1, 10, 100, 1_000, 10_000].filter((value) => value <= Math.max(...all) * 2)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${label(title, LEFT, 20, 'start')}
${ticks.map((value) => label(String(value), LEFT - 8, y(value) + 4, 'end')).join('\n')}
${sizes.map((size) => label(size.toLocaleString('en'), x(size), HEIGHT - 14)).join('\n')}
${lines.join('\n')}
</svg>
`
}
