import { audit } from '../auditor.ts'
import { makeCircles } from '../circles.ts'
import type { ClientOptions } from '../device.ts'
import { History } from '../history.ts'
import { gather, settled, talk } from '../load.ts'
import type { Outcome, Terms } from '../outcome.ts'
import { FaultyServer } from '../server.ts'
import { randomFrom, until } from '../world.ts'

export interface ServerKills {
  readonly senders: number
  readonly acknowledged: number
  readonly kills: number
  readonly client?: ClientOptions
}

/** `kill -9` of the server, again and again, while people talk with friends and in groups. */
export async function serverKills(
  terms: Terms,
  { senders, acknowledged, kills, client }: ServerKills,
): Promise<Outcome> {
  const random = randomFrom(terms.seed)
  const history = new History()
  const server = await FaultyServer.start(terms, {
    sabotage: terms.sabotage,
    settings: { REPLAY_LIMIT: '10000' },
  })
  const circles = await makeCircles(server.databaseUrl, senders)
  const devices = await gather(terms, server.socket, circles.people, history, () => client)

  const started = performance.now()
  const stop = talk(devices, {
    random,
    rate: 25,
    offline: 2,
    target: ({ owner }) => circles.target(owner, random),
  })
  const reached = (share: number) => () => history.acknowledged >= acknowledged * share
  for (let kill = 0; kill < kills; kill += 1) {
    await until('enough is acknowledged', reached((kill + 0.5) / kills), 120_000)
    await server.kill()
    await server.start()
  }
  await until('enough is acknowledged', reached(1), 120_000)
  await stop()
  const seconds = Math.round((performance.now() - started) / 1000)
  await settled(devices)
  const findings = await audit(server.databaseUrl, history, {
    complete: devices.map(({ shown }) => shown),
  })
  const shown = history.shown.reduce((sum, { texts }) => sum + texts.length, 0)
  return {
    findings,
    figures: `${kills} kills, ${senders} senders, ${history.acknowledged} acknowledged and ${shown} shown in ${seconds} s`,
  }
}
