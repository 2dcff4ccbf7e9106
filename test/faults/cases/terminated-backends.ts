import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { audit } from '../auditor.ts'
import { Caller } from '../caller.ts'
import { makeCircles } from '../circles.ts'
import { makeDatabaseRoad } from '../database-road.ts'
import { History } from '../history.ts'
import { gather, settled, talk } from '../load.ts'
import type { Outcome, Terms } from '../outcome.ts'
import { FaultyServer } from '../server.ts'
import { makePeople, randomFrom, until } from '../world.ts'

export interface TerminatedBackends {
  readonly senders: number
  readonly seconds: number
}

const POOL_SIZE = 10
const EVERY = 50
/** So often an answer is lost besides. */
const ANSWERS_LOST = 5

/**
 * One connection of the server to the database is ended every 50 ms, while much is changed. With
 * every fifth a message is stored, too, without the server learning of it.
 */
export async function terminatedBackends(
  terms: Terms,
  { senders, seconds }: TerminatedBackends,
): Promise<Outcome> {
  const random = randomFrom(terms.seed)
  const history = new History()
  const { road, direct, url } = await makeDatabaseRoad(terms)
  const server = await FaultyServer.start(terms, {
    databaseUrl: url,
    sabotage: terms.sabotage,
    settings: { DATABASE_POOL_SIZE: String(POOL_SIZE) },
  })
  const circles = await makeCircles(direct, senders)
  const devices = await gather(terms, server.socket, circles.people, history)
  const caller = new Caller(server.http, history)
  const stops = [
    talk(devices, { random, rate: 10, target: ({ owner }) => circles.target(owner, random) }),
    await meddle(direct, caller, random),
  ]
  const killer = new pg.Client({ connectionString: direct })
  await killer.connect()
  terms.teardown(() => killer.end())
  let terminated = 0
  const end = performance.now() + seconds * 1000
  while (performance.now() < end && server.isRunning) {
    const { rowCount } = await killer.query(
      `select pg_terminate_backend(pid) from (
        select pid from pg_stat_activity
        where application_name like 'waifchat%' and datname = current_database()
        order by state = 'idle', random() limit 1) victim`,
    )
    terminated += rowCount ?? 0
    if (terminated % ANSWERS_LOST === 0) road.loseAnswerTo('messages_store')
    await pause(EVERY)
  }
  for (const stop of stops) await stop()
  if (server.crashes > 0) history.note('server ended', `${server.crashes} times`)
  else {
    await settled(devices)
    await poolIsWhole(killer, caller, circles.people, history)
  }
  const findings = await audit(direct, history, {
    complete: server.isRunning ? devices.map(({ shown }) => shown) : [],
    answeredWithin: 5_000,
  })
  const figures = [
    `${terminated} connections ended and ${road.cuts} answers lost in ${seconds} s`,
    `${history.acknowledged} acknowledged, ${caller.answers} calls answered`,
    `slowest answer ${Math.round(Math.max(history.slowest(), caller.slowest))} ms`,
  ].join(', ')
  return { findings, figures }
}

/** Strangers become friends, found groups and part again, over and over. Gives what stops them. */
async function meddle(
  databaseUrl: string,
  caller: Caller,
  random: () => number,
): Promise<() => Promise<void>> {
  const people = await makePeople(databaseUrl, 12)
  const one = () => people[Math.floor(random() * people.length)] ?? ''
  let ended = false
  const live = async () => {
    while (!ended) {
      const pair = { userId: one(), friendId: one() }
      const choice = random()
      if (choice < 0.4) await caller.post('/friend/add', pair)
      else if (choice < 0.7) await caller.post('/friend/agree', pair)
      else if (choice < 0.9) await caller.get('/del/friend', pair)
      else {
        const group = { userId: one(), groupName: 'x', sign: 'y', imgUrl: '' }
        await caller.post('/create/group', group)
      }
    }
  }
  const lives = Array.from({ length: 6 }, live)
  return async () => {
    ended = true
    await Promise.all(lives)
  }
}

/** All of the pool's connections are there again, all of them work, and there are no more. */
async function poolIsWhole(
  client: pg.Client,
  caller: Caller,
  people: readonly string[],
  history: History,
): Promise<void> {
  const connections = async () => {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
      where application_name = 'waifchat' and datname = current_database()`,
    )
    return rows[0]?.count ?? 0
  }
  await until('the pool is back to its size', async () => {
    const calls = people.slice(0, 50).map((userId) => caller.get('/message/list', { userId }))
    const statuses = await Promise.all(calls)
    const count = await connections()
    if (count > POOL_SIZE) history.note('pool of another size', `${count} connections`)
    return count === POOL_SIZE && statuses.every((status) => status === 200)
  }).catch((error: unknown) => history.note('pool of another size', String(error)))
}
