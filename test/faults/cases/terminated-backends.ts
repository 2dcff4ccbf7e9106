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
import { makePeople, randomFrom, until, withDatabase } from '../world.ts'

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
  const { road, direct, url } = await makeDatabaseRoad(terms, terms.sabotage)
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
  const start = performance.now()
  const rounds = (seconds * 1000) / EVERY
  for (let round = 0; round < rounds && server.isRunning; round += 1) {
    await pause(Math.max(0, start + round * EVERY - performance.now()))
    const { rowCount } = await killer.query(
      `select pg_terminate_backend(pid) from (
        select pid from pg_stat_activity
        where application_name like 'waifchat%' and datname = current_database()
        order by state = 'idle', random() limit 1) victim`,
    )
    terminated += rowCount ?? 0
    if (round % ANSWERS_LOST === 0) road.loseAnswerTo('messages_store')
  }
  for (const stop of stops) await stop()
  if (server.crashes > 0) history.note('server ended', `${server.crashes} times`)
  else {
    await settled(devices)
    await poolIsWhole(direct, caller, circles.people, history)
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
  databaseUrl: string,
  caller: Caller,
  [held = '', , ...others]: readonly string[],
  history: History,
): Promise<void> {
  // Not the second: they are friends already.
  const applicants = others.slice(0, POOL_SIZE)
  const isWhole = () =>
    withDatabase(databaseUrl, async (holder) => {
      await holder.query('begin')
      await holder.query('select from users where id = $1 for update', [held])
      // Each of these waits for the lock, on a connection of its own.
      const calls = applicants.map((userId) =>
        caller.post('/friend/add', { userId, friendId: held }),
      )
      const { all, waiting } = await busiest(databaseUrl)
      await holder.query('rollback')
      const statuses = await Promise.all(calls)
      if (all > POOL_SIZE) history.note('pool of another size', `${all} connections`)
      return waiting === POOL_SIZE && statuses.every((status) => status === 200)
    })
  await until('the pool is back to its size', isWhole, 15_000).catch((error: unknown) =>
    history.note('pool of another size', String(error)),
  )
}

/** How many connections the server has, and how many of them wait for a lock, once most do. */
async function busiest(databaseUrl: string): Promise<{ all: number; waiting: number }> {
  return withDatabase(databaseUrl, async (client) => {
    for (let look = 0; ; look += 1) {
      const { rows } = await client.query<{ all: number; waiting: number }>(
        `select count(*)::int as all,
          count(*) filter (where wait_event_type = 'Lock')::int as waiting
        from pg_stat_activity
        where application_name = 'waifchat' and datname = current_database()`,
      )
      const [found = { all: 0, waiting: 0 }] = rows
      if (found.waiting >= POOL_SIZE || look === 20) return found
      await pause(EVERY)
    }
  })
}
