import { io, type Socket } from 'socket.io-client'
import type { Slice } from './compare.ts'
import { quantile } from './table.ts'

/** Opens sockets, a few at a time, and lets each say who it is. */
export async function openSockets(
  url: string,
  users: readonly string[],
  group?: string,
): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let n = 0; n < users.length; n += 50) {
    const some = users.slice(n, n + 50).map(async (user) => {
      const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false })
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('connect_error', reject)
      })
      const args = group === undefined ? [user] : [user, group]
      await socket.timeout(20_000).emitWithAck('login', ...args)
      return socket
    })
    sockets.push(...(await Promise.all(some)))
  }
  return sockets
}

/** One who sends, and those who receive it. */
export interface Talk {
  readonly sender: Socket
  readonly from: string
  readonly to: string
  readonly receivers: readonly Socket[]
}

/**
 * Lets all talk at once for a time, each with `window` messages on the way, or together at
 * `perSecond`; waits until everything has arrived.
 */
export async function talkFor(
  event: 'private_chat' | 'group_chat',
  talks: readonly Talk[],
  milliseconds: number,
  { window = 2, perSecond }: { window?: number; perSecond?: number } = {},
): Promise<Slice> {
  const delays: number[] = []
  let sent = 0
  let due = 0
  let received = 0
  let wake: () => void = () => undefined
  const onMessage = ({ message }: { message: string }) => {
    delays.push(performance.now() - Number(message.slice(0, 20)))
    received += 1
    if (received === due) wake()
  }
  for (const { receivers } of talks) for (const socket of receivers) socket.on(event, onMessage)
  const start = performance.now()
  const end = start + milliseconds
  const send = async ({ sender, from, to, receivers }: Talk) => {
    const message = `${String(performance.now()).padEnd(20)}今天天气不错`
    sent += 1
    due += receivers.length
    const data = {
      userId: { _id: from, nick: '王伟', imgUrl: '/user_pic1.jpeg' },
      msgType: 0,
      message,
    }
    const ack = (await sender.timeout(60_000).emitWithAck(event, data, from, to)) as {
      status: number
    }
    if (ack.status !== 200) throw new Error(`refused: ${JSON.stringify(ack)}`)
  }
  if (perSecond === undefined) {
    const workers = talks.flatMap((talk) => Array.from({ length: window }, () => talk))
    await Promise.all(
      workers.map(async (talk) => {
        while (performance.now() < end) await send(talk)
      }),
    )
  } else {
    const pending: Promise<void>[] = []
    for (let n = 0; performance.now() < end; n += 1) {
      const at = start + (n * 1000) / perSecond
      if (at > performance.now()) await new Promise((resolve) => setTimeout(resolve, 1))
      else continue
      while (start + (sent * 1000) / perSecond <= performance.now()) {
        pending.push(send(talks[sent % talks.length] as Talk))
      }
    }
    await Promise.all(pending)
  }
  if (received < due) await new Promise<void>((resolve) => (wake = resolve))
  const wall = performance.now() - start
  for (const { receivers } of talks) for (const socket of receivers) socket.off(event, onMessage)
  // A message has one receiver; a group's message counts as often as it is delivered.
  return { pieces: received, wall, p99: quantile(delays, 0.99) }
}
