/** One curve. */
export interface Series {
  readonly name: string
  readonly values: readonly number[]
}

const COLUMNS = 3
const WIDTH = 300
const HEIGHT = 170
const MARGIN = { left: 48, right: 16, top: 34, bottom: 26 }
const LINE = '#4477aa'
const LIMIT = '#cc3311'

/**
 * An SVG with one plot for each curve: sizes logarithmic, values from 0; the red line is the most
 * that the last value may be.
 *
 * @param growth the limit, as a multiple of the first value
 */
export function plots(sizes: readonly number[], series: readonly Series[], growth: number): string {
  const rows = Math.ceil(series.length / COLUMNS)
  const panels = series.map((one, index) => {
    const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)]
    return `<g transform="translate(${column * WIDTH} ${row * HEIGHT})">${panel(sizes, one, growth)}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${COLUMNS * WIDTH} ${rows * HEIGHT}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
${panels.join('\n')}
</svg>
`
}

function panel(sizes: readonly number[], { name, values }: Series, growth: number): string {
  const logs = sizes.map(Math.log10)
  const [least = 0, most = 1] = [logs[0], logs.at(-1)]
  const limit = (values[0] ?? 0) * growth
  const highest = Math.max(limit, ...values) * 1.1
  const x = (log: number) =>
    MARGIN.left + ((log - least) / (most - least || 1)) * (WIDTH - MARGIN.left - MARGIN.right)
  const y = (value: number) =>
    HEIGHT - MARGIN.bottom - (value / highest) * (HEIGHT - MARGIN.top - MARGIN.bottom)
  const label = (text: string, atX: number, atY: number, anchor: string) =>
    `<text x="${atX.toFixed(0)}" y="${atY.toFixed(0)}" text-anchor="${anchor}">${text}</text>`
  const line = (y1: number, color: string, dash = '') =>
    `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y1.toFixed(1)}" y2="${y1.toFixed(1)}" stroke="${color}"${dash}/>`
  const points = values.map((value, n) => [x(logs[n] ?? 0), y(value)] as const)
  return [
    label(name, MARGIN.left, 20, 'start'),
    line(y(0), 'black'),
    line(y(limit), LIMIT, ' stroke-dasharray="4 3"'),
    ...sizes.map((size, n) => label(short(size), x(logs[n] ?? 0), HEIGHT - 8, 'middle')),
    label('0', MARGIN.left - 6, y(0) + 4, 'end'),
    label(String(values[0] ?? ''), MARGIN.left - 6, y(values[0] ?? 0) + 4, 'end'),
    `<polyline points="${points.map(([atX, atY]) => `${atX.toFixed(1)},${atY.toFixed(1)}`).join(' ')}" fill="none" stroke="${LINE}" stroke-width="2"/>`,
    ...points.map(
      ([atX, atY]) =>
        `<circle cx="${atX.toFixed(1)}" cy="${atY.toFixed(1)}" r="3" fill="${LINE}"/>`,
    ),
  ].join('\n')
}

/** 10 K, 1 M. */
function short(size: number): string {
  return size < 1e6 ? `${size / 1e3} K` : `${size / 1e6} M`
}
