import { MultiBar, Presets, type SingleBar } from 'cli-progress'

/** Milliseconds between two lines where there is no terminal to draw a bar on. */
const LINE_EVERY = 5_000

/** Shows how far a step is. */
export interface Progress {
  /** Begins a step; ends the one before. */
  step(name: string, total: number): void
  advance(by: number): void
  end(): void
}

/** A bar on a terminal, a line now and then elsewhere. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? bars(stream) : lines(stream)
}

function bars(stream: NodeJS.WriteStream): Progress {
  const format = '{name} [{bar}] {percentage}% {eta_formatted}'
  const multi = new MultiBar({ stream, format, hideCursor: true }, Presets.legacy)
  let bar: SingleBar | undefined
  let left = 0
  return {
    step(name, total) {
      bar?.increment(left)
      left = total
      bar = multi.create(total, 0, { name: name.padEnd(16) })
    },
    advance(by) {
      left -= by
      bar?.increment(by)
    },
    end() {
      bar?.increment(left)
      multi.stop()
    },
  }
}

function lines(stream: NodeJS.WriteStream): Progress {
  let [name, total, done, told] = ['', 0, 0, 0]
  return {
    step(next, size) {
      name = next
      total = size
      done = 0
      told = performance.now()
    },
    advance(by) {
      done += by
      if (performance.now() - told < LINE_EVERY) return
      told = performance.now()
      stream.write(`${name}: ${Math.min(100, Math.floor((100 * done) / total))}%\n`)
    },
    end: () => undefined,
  }
}

/** Says nothing. */
export const silent: Progress = { step() {}, advance() {}, end() {} }
