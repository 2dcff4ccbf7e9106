import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type EmbeddedDatabase, startEmbedded } from '../../../src/database/embedded.ts'
import { audit } from '../auditor.ts'
import { Caller } from '../caller.ts'
import { makeCircles } from '../circles.ts'
import { History, type Sent } from '../history.ts'
import { gather, settled, talk } from '../load.ts'
import type { Outcome, Terms } from '../outcome.ts'
import { FaultyServer, type Scope } from '../server.ts'
import { randomFrom, until } from '../world.ts'

export interface DatabaseKills {
  readonly senders: number
  readonly kills: number
}

/** Milliseconds that the database is away at most, besides its own start. */
const LONGEST_AWAY = 1_500

/** `kill -9` of all processes of PostgreSQL, again and again, while people talk and look around. */
export async function databaseKills(
  terms: Terms,
  { senders, kills }: DatabaseKills,
): Promise<Outcome> {
  const random = randomFrom(terms.seed)
  const history = new History()
  const database = await DoomedDatabase.start(terms)
  const server = await FaultyServer.start(terms, {
    databaseUrl: database.url,
    sabotage: terms.sabotage,
    settings: { REPLAY_LIMIT: '10000' },
  })
  const circles = await makeCircles(database.url, senders)
  const devices = await gather(terms, server.socket, circles.people, history)
  const caller = new Caller(server.http, history)
  const target = ({ owner }: { owner: string }) => circles.target(owner, random)
  const blind = devices.splice(0, Math.ceil(devices.length / 5))
  const stops = [
    talk(devices, { random, rate: 20, target }),
    talk(blind, { random, rate: 5, blind: true, target }),
    lookAround(caller, circles.people, random),
  ]

  let longestReturn = 0
  for (let kill = 0; kill < kills && server.isRunning; kill += 1) {
    await pause(500 + random() * 1_000)
    await database.kill()
    await pause(random() * LONGEST_AWAY)
    await database.start()
    const back = performance.now()
    const before = history.acknowledged
    await until(
      'messages are stored again',
      () => history.acknowledged > before || !server.isRunning,
    )
    longestReturn = Math.max(longestReturn, performance.now() - back)
  }
  await pause(500)
  for (const stop of stops) await stop()
  if (server.crashes > 0) {
    history.note('server ended', `${server.crashes} times`)
  } else {
    await settled([...devices, ...blind])
  }
  const findings = await audit(database.url, history, {
    complete: server.isRunning ? [...devices, ...blind].map(({ shown }) => shown) : [],
    kept: server.isRunning ? sentBy(blind, history) : [],
    answeredWithin: 5_000,
  })
  const figures = [
    `${kills} kills`,
    `${history.acknowledged} acknowledged, ${caller.answers} calls answered`,
    `slowest answer ${Math.round(Math.max(history.slowest(), caller.slowest))} ms`,
    `stored again at most ${Math.round(longestReturn)} ms after each return`,
  ].join(', ')
  return { findings, figures }
}

function sentBy(devices: readonly { owner: string }[], history: History): Sent[] {
  const owners = new Set(devices.map(({ owner }) => owner))
  return [...history.sent.values()].filter(({ from }) => owners.has(from))
}

/** Calls one endpoint after the other, some at a time. Gives what stops it. */
function lookAround(
  caller: Caller,
  people: readonly string[],
  random: () => number,
): () => Promise<void> {
  let ended = false
  const look = async () => {
    while (!ended) {
      const userId = people[Math.floor(random() * people.length)] ?? ''
      if (random() < 0.5) await caller.get('/message/list', { userId })
      else await caller.get('/contacts/friend', { userId })
      await pause(20)
    }
  }
  const looking = Array.from({ length: 4 }, look)
  return async () => {
    ended = true
    await Promise.all(looking)
  }
}

const run = promisify(execFile)
/** What does not wait for the disk is there to be lost. */
const settings = { wal_writer_delay: '10s' }

/** A PostgreSQL of the case's own, on a port that stays. Everything reaches the disk, as always. */
class DoomedDatabase {
  #running: EmbeddedDatabase
  readonly #dataDir: string

  private constructor(running: EmbeddedDatabase, dataDir: string) {
    this.#running = running
    this.#dataDir = dataDir
  }

  static async start(scope: Scope): Promise<DoomedDatabase> {
    const folder = await mkdtemp(join(tmpdir(), 'waifchat-doomed-'))
    await chmod(folder, 0o755)
    const dataDir = join(folder, 'data')
    const database = new DoomedDatabase(await startEmbedded({ dataDir, settings }), dataDir)
    scope.teardown(async () => {
      await database.#running.stop()
      await rm(folder, { recursive: true, force: true })
    })
    return database
  }

  get url(): string {
    return this.#running.url
  }

  /** Ends the server and all its backends at once, so that none can tidy up. */
  async kill(): Promise<void> {
    const file = join(this.#running.clusterDir, 'data', 'postmaster.pid')
    const postmaster = Number((await readFile(file, 'utf8')).split('\n')[0])
    // It must not notice the end of the others before its own.
    process.kill(postmaster, 'SIGSTOP')
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(postmaster)])
    const children = stdout.trim().split(/\s+/).map(Number)
    for (const pid of [...children, postmaster]) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It had ended by itself.
      }
    }
    await this.#running.stop()
  }

  async start(): Promise<void> {
    const { port } = this.#running
    this.#running = await startEmbedded({ dataDir: this.#dataDir, port, settings })
  }
}
