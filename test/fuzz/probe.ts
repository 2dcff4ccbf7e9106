/** Loaded into the server under test: on SIGUSR2 it reports what the process holds. */
import { subscribe } from 'node:diagnostics_channel'
import { renameSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const file = process.env.FUZZ_REPORT
let count = 0

function report(): void {
  if (file === undefined) return
  collectGarbage()
  const resources = process.getActiveResourcesInfo()
  const { heapUsed, external, rss } = process.memoryUsage()
  const text = JSON.stringify({
    count: ++count,
    pid: process.pid,
    heapUsed,
    external,
    rss,
    resources,
  })
  writeFileSync(`${file}.part`, text)
  renameSync(`${file}.part`, file)
}

/** A control: with FUZZ_LEAK the server loses so many bytes a request, which the fuzzer must see. */
const leaked: Uint8Array[] = []
const leak = Number(process.env.FUZZ_LEAK ?? 0)
if (leak > 0) {
  subscribe('http.server.request.start', () => leaked.push(new Uint8Array(leak)))
}

/** A control: with FUZZ_HANG the server stands still for so many milliseconds at some inputs. */
const still = Number(process.env.FUZZ_HANG ?? 0)
if (still > 0) {
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage }
    const until = performance.now() + still
    while (request.headers.accept === 'Basic eDp5' && performance.now() < until);
  })
}

process.on('SIGUSR2', report)
report()
