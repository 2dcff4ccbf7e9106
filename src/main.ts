import { existsSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { type EmbeddedDatabase, startEmbedded } from './database/embedded.ts'
import { checkPorts, type RunningServer, startServer } from './server.ts'
import { readSettings } from './settings.ts'
import { StartupError } from './startup-error.ts'

/** A stop that takes longer than this is cut short. */
const LONGEST_STOP = 8_000

// V8 would put what it has often seen survive, such as the timer of a query, straight among the old
// objects, where each keeps its rows until the next large collection: 20 us of CPU a request.
setFlagsFromString('--no-allocation-site-pretenuring')

const say = (line: string) => void process.stdout.write(`${line}\n`)
let embedded: EmbeddedDatabase | undefined
let server: RunningServer | undefined

async function start(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const settings = readSettings()
  await checkPorts(settings)
  let { databaseUrl } = settings
  if (databaseUrl === undefined) {
    const { dataDir, databasePort: port } = settings
    embedded = await startEmbedded({ dataDir, port, log: say })
    databaseUrl = embedded.url
  }
  server = await startServer(settings, databaseUrl)
  say(`HTTP       ${server.httpUrl}`)
  say(`socket.io  ${server.socketUrl}`)
  if (embedded !== undefined) say(`database   ${embedded.psql}`)
}

/** @param after what is half-way up cannot be stopped yet, and would be left running */
async function stop(code: number, after?: Promise<unknown>): Promise<void> {
  setTimeout(() => process.exit(1), LONGEST_STOP).unref()
  await after
  try {
    await server?.stop()
  } finally {
    await embedded?.stop()
  }
  process.exit(code)
}

const started = start().catch(async (error: unknown) => {
  const expected = error instanceof StartupError
  process.stderr.write(`${expected ? error.message : String((error as Error).stack)}\n`)
  await stop(1)
})

let stopping: Promise<void> | undefined
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  // Again and again: Ctrl-C reaches us from the terminal and once more from npm.
  process.on(signal, () => void (stopping ??= stop(0, started)))
}
