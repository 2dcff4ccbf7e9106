import { setTimeout as pause } from 'node:timers/promises'
import { audit } from '../auditor.ts'
import { makeCircles } from '../circles.ts'
import { History } from '../history.ts'
import { gather, settled, talk } from '../load.ts'
import type { Outcome, Terms } from '../outcome.ts'
import { Proxy } from '../proxy.ts'
import { FaultyServer } from '../server.ts'
import { randomFrom } from '../world.ts'

export interface Flapping {
  readonly clients: number
  readonly seconds: number
  readonly kills: number
}

const MEBIBYTE = 1024 * 1024

/** Clients whose connections are cut every 1 to 5 s, in two ways, and a server that is killed, too. */
export async function flapping(
  terms: Terms,
  { clients, seconds, kills }: Flapping,
): Promise<Outcome> {
  const random = randomFrom(terms.seed)
  const history = new History()
  const server = await FaultyServer.start(terms, { sabotage: terms.sabotage })
  const proxy = await Proxy.start(terms, server.socket)
  const circles = await makeCircles(server.databaseUrl, clients)
  const devices = await gather(terms, proxy.url, circles.people, history)
  proxy.rage(() => [1_000 + random() * 4_000, random() < 0.7 ? 'whole' : 'half'])
  const stop = talk(devices, {
    random,
    rate: 0.5,
    target: ({ owner }) => circles.target(owner, random),
  })

  const memory: number[] = []
  for (let part = 0; part <= kills && server.isRunning; part += 1) {
    if (part > 0) {
      await server.kill()
      await server.start()
    }
    const end = performance.now() + (seconds * 1000) / (kills + 1)
    while (performance.now() < end && server.isRunning) {
      await pause(1_000)
      if (part === kills) memory.push(await server.memory())
    }
  }
  await stop()
  proxy.calm()
  if (server.crashes > 0) history.note('server ended', `${server.crashes} times`)
  else await settled(devices)
  const findings = await audit(server.databaseUrl, history, {
    complete: server.isRunning ? devices.map(({ shown }) => shown) : [],
  })
  const shown = history.shown.reduce((sum, { texts }) => sum + texts.length, 0)
  const figures = [
    `${clients} clients, ${proxy.cuts} cuts in ${seconds} s, ${kills} kills`,
    `${history.acknowledged} acknowledged, ${shown} shown`,
    `memory ${inMebibytes(memory[Math.floor(memory.length / 3)])} MiB, at the end ${inMebibytes(memory.at(-1))} MiB`,
  ].join(', ')
  return { findings, figures }
}

function inMebibytes(bytes = 0): number {
  return Math.round(bytes / MEBIBYTE)
}
