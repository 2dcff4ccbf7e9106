/** Loaded into a measured process: on SIGUSR2 it writes the bytes that it holds to a file. */
import { writeFileSync, renameSync } from 'node:fs'

const { HEAP_REPORT: file = '' } = process.env
const { gc } = globalThis

process.on('SIGUSR2', () => {
  gc?.()
  const { heapUsed, external } = process.memoryUsage()
  writeFileSync(`${file}.new`, String(heapUsed + external))
  renameSync(`${file}.new`, file)
})
