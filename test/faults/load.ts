import { setTimeout as pause } from 'node:timers/promises'
import { type ClientOptions, Device } from './device.ts'
import type { History } from './history.ts'
import type { Scope } from './server.ts'
import { until } from './world.ts'

export interface LoadOptions {
  readonly random: () => number
  /** Where a device sends: a friend or a group of its owner. */
  readonly target: (device: Device) => readonly ['private' | 'group', string]
  /** Messages that each device sends in a second. */
  readonly rate: number
  /** Sends of one device that may be unanswered at a time. */
  readonly most?: number
  /** Sends of one device while it is not connected, each time. */
  readonly offline?: number
  /** Whether it sends as the existing client does: without asking for an answer. */
  readonly blind?: boolean
}

const TICK = 20
const GATHERED_TOGETHER = 50
/**
 * Nothing came for this long, so nothing comes, in milliseconds: twice as long as servers take to
 * look for what others have stored.
 */
const QUIET = 1_000

/** The load generator: lets devices talk until it is stopped. Gives what stops it. */
export function talk(devices: readonly Device[], options: LoadOptions): () => Promise<void> {
  const { random, target, rate, most = 8, offline = 1, blind = false } = options
  const interval = 1000 / rate
  const speakers = devices.map((device) => ({
    device,
    next: performance.now() + random() * interval,
    typed: 0,
  }))
  let ended = false

  function speak(speaker: (typeof speakers)[number]): void {
    const { device } = speaker
    speaker.next += interval * (0.5 + random())
    // Late ones do not make up for it all at once.
    speaker.next = Math.max(speaker.next, performance.now() - interval)
    if (device.socket.connected) speaker.typed = 0
    else if (++speaker.typed > offline) return
    if (device.open >= most) return
    const [conversation, to] = target(device)
    if (blind) device.sendBlindly(conversation, to)
    else device.send(conversation, to)
  }

  const running = (async () => {
    while (!ended) {
      const now = performance.now()
      for (const speaker of speakers) if (speaker.next <= now) speak(speaker)
      await pause(TICK)
    }
  })()
  return async () => {
    ended = true
    await running
  }
}

/**
 * Connects a device for each person and logs it in, some at a time.
 *
 * @param options of the client with this number
 */
export async function gather<const People extends readonly string[]>(
  scope: Scope,
  url: string,
  people: People,
  history: History,
  options: (index: number) => ClientOptions | undefined = () => undefined,
): Promise<{ -readonly [Person in keyof People]: Device }> {
  const devices: Device[] = []
  scope.teardown(async () => devices.forEach((device) => device.close()))
  for (let start = 0; start < people.length; start += GATHERED_TOGETHER) {
    const some = people.slice(start, start + GATHERED_TOGETHER)
    const arriving = some.map((id, index) => new Device(url, id, history, options(start + index)))
    devices.push(...arriving)
    await Promise.all(arriving.map((device) => device.login()))
  }
  return devices as { -readonly [Person in keyof People]: Device }
}

/** Takes a device off the network; gives what brings it back. */
export async function takeAway(device: Device): Promise<() => Promise<void>> {
  device.socket.io.reconnection(false)
  device.drop()
  await until('it is away', () => !device.socket.connected)
  return async () => {
    device.socket.io.reconnection(true)
    device.socket.connect()
    await device.isBack()
  }
}

/** Resolves when all devices are back, have had all their answers, and nothing more comes. */
export async function settled(devices: readonly Device[]): Promise<void> {
  const count = () => devices.reduce((sum, { shown }) => sum + shown.texts.length, 0)
  for (let before = -1; before !== count();) {
    await until('all are answered', () => devices.every(({ open }) => open === 0), 90_000)
    await Promise.all(devices.map((device) => device.isBack()))
    before = count()
    await pause(QUIET)
  }
}
