import { audit } from '../auditor.ts'
import { makeCircles } from '../circles.ts'
import type { ClientOptions } from '../device.ts'
import { History } from '../history.ts'
import { gather, settled, talk } from '../load.ts'
import type { Outcome, Terms } from '../outcome.ts'
import { beginRequest } from '../requests.ts'
import { FaultyServer } from '../server.ts'
import { randomFrom, withDatabase } from '../world.ts'

export interface OrderlyStops {
  readonly clients: number
  readonly requests: number
  readonly stops: number
  readonly client?: ClientOptions
}

/** People who talk all the time, messages that each sends in a second, and in the last moment. */
const TALKERS = 50
const RATE = 5
const AT_LAST = 2
const LONGEST_STOP = 5_000
/** For how long some requests are held up by a lock, in milliseconds. */
const HELD_UP = 500

/** SIGTERM while many are connected, some talk, and requests are in flight. */
export async function orderlyStops(
  terms: Terms,
  { clients, requests, stops, client }: OrderlyStops,
): Promise<Outcome> {
  const random = randomFrom(terms.seed)
  const history = new History()
  const server = await FaultyServer.start(terms, {
    sabotage: terms.sabotage,
    settings: { REPLAY_LIMIT: '10000' },
  })
  const circles = await makeCircles(server.databaseUrl, clients)
  const devices = await gather(terms, server.socket, circles.people, history, () => client)
  const talkers = devices.slice(0, TALKERS)
  const target = ({ owner }: { owner: string }) => circles.target(owner, random)
  const stopTalking = talk(talkers, { random, rate: RATE, target })

  let slowest = 0
  let answered = 0
  for (let stop = 0; stop < stops; stop += 1) {
    await Promise.all(devices.map((device) => device.isBack()))
    const release = await holdUp(server.databaseUrl, circles.people[0] ?? '')
    const started = Array.from({ length: requests }, (_, index) =>
      beginRequest(server.http + pathOf(index, circles.people, random)),
    )
    await Promise.all(started.map(({ sent }) => sent))
    for (let last = 0; last < AT_LAST; last += 1) {
      for (const talker of talkers) talker.send(...target(talker))
    }
    const signalled = performance.now()
    const code = await server.stop(random() < 0.5 ? 'SIGTERM' : 'SIGINT')
    slowest = Math.max(slowest, performance.now() - signalled)
    if (code !== 0) history.note('stopped in disorder', `exit code ${code}`)
    for (const problem of await Promise.all(started.map((one) => one.problem))) {
      if (problem === undefined) answered += 1
      else history.note('answer broken', problem)
    }
    await release()
    await server.start()
  }
  await stopTalking()
  if (slowest > LONGEST_STOP) {
    history.note('stopped in disorder', `a stop took ${Math.round(slowest)} ms`)
  }
  for (const { socket, shown } of devices) {
    if (!socket.active) history.note('client gone', shown.device)
  }
  const back = devices.filter(({ socket }) => socket.active)
  await settled(back)
  const findings = await audit(server.databaseUrl, history, {
    complete: back.map(({ shown }) => shown),
  })
  const figures = [
    `${stops} stops with ${clients} sockets`,
    `${answered} of ${stops * requests} requests in flight answered`,
    `slowest stop ${Math.round(slowest)} ms`,
    `${history.acknowledged} acknowledged`,
  ].join(', ')
  return { findings, figures }
}

/** Holds up whoever changes somebody's friendships, for a while; gives what ends it at once. */
async function holdUp(databaseUrl: string, userId: string): Promise<() => Promise<void>> {
  let locked: () => void = () => undefined
  let end: () => void = () => undefined
  const isLocked = new Promise<void>((resolve) => (locked = resolve))
  const ended = withDatabase(databaseUrl, async (db) => {
    await db.query('begin')
    await db.query('select 1 from users where id = $1 for update', [userId])
    locked()
    await new Promise<void>((resolve) => {
      end = resolve
      setTimeout(resolve, HELD_UP)
    })
  })
  await isLocked
  return async () => {
    end()
    await ended
  }
}

/** What a request asks for; every tenth is held up. */
function pathOf(index: number, people: readonly string[], random: () => number): string {
  const [first = '', last = ''] = [people[0], people.at(-1)]
  if (index % 10 === 0) return `/del/friend?userId=${first}&friendId=${last}`
  return `/message/list?userId=${people[Math.floor(random() * people.length)] ?? ''}`
}
