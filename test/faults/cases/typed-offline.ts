import { audit } from '../auditor.ts'
import { makeCircles } from '../circles.ts'
import type { ClientOptions } from '../device.ts'
import { History, type Sent } from '../history.ts'
import { gather, settled } from '../load.ts'
import type { Outcome, Terms } from '../outcome.ts'
import { FaultyServer } from '../server.ts'
import { randomFrom, until, withDatabase } from '../world.ts'

export interface TypedOffline {
  readonly clients: number
  readonly rounds: number
  readonly client?: ClientOptions
}

const TYPED = 3

/**
 * Everybody types while the server is down, as the existing client does: without an answer. In
 * every second round the sessions are forgotten meanwhile, so that nobody is known who comes back.
 */
export async function typedOffline(
  terms: Terms,
  { clients, rounds, client }: TypedOffline,
): Promise<Outcome> {
  const random = randomFrom(terms.seed)
  const history = new History()
  const server = await FaultyServer.start(terms, { sabotage: terms.sabotage })
  const circles = await makeCircles(server.databaseUrl, clients)
  const devices = await gather(terms, server.socket, circles.people, history, () => client)
  const kept: Sent[] = []
  const forgotten = new Set<string>()

  for (let round = 0; round < rounds; round += 1) {
    const isForgotten = round % 2 === 1
    await server.kill()
    await until('all have noticed', () => devices.every(({ socket }) => !socket.connected))
    for (const device of devices) {
      for (let typed = 0; typed < TYPED; typed += 1) {
        const sent = device.sendBlindly(...circles.target(device.owner, random))
        kept.push(sent)
        if (isForgotten) forgotten.add(sent.text)
      }
    }
    if (isForgotten) {
      await withDatabase(server.databaseUrl, (db) => db.query('delete from socket_sessions'))
    }
    await server.start()
    await settled(devices)
  }

  const findings = await audit(server.databaseUrl, history, {
    kept,
    complete: devices.map(({ shown }) => shown),
    // Who is forgotten is not shown what was said before it is known again.
    due: (text) => !forgotten.has(text),
  })
  return { findings, figures: `${rounds} kills, ${kept.length} typed meanwhile` }
}
