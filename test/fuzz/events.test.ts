/** Hostile events and frames; FUZZ_INPUTS and FUZZ_SEED say how many and which. */
import t from 'tap'
import { compareAck, events, type ClientEvent } from '../contract/events.ts'
import { at, type Json } from '../contract/json.ts'
import { register, online, say } from '../contract/people.ts'
import { firstWrong } from './endpoints.ts'
import { createStopwatch, HANG } from './hangs.ts'
import { hostileArguments, hostileFrames } from './frames.ts'
import { hostileHandshakes, hostilePackets, poll, shakeHands } from './polling.ts'
import { openRawSocket, type RawSocket } from './raw-socket.ts'
import { handlesBackTo, held, INPUTS, mostGrowth, SEED, startTarget } from './target.ts'

/** The first warms up; from the second to the last nothing may grow. */
const ROUNDS = 4
/** Sockets that send at the same time. */
const SOCKETS = 8
/** Larger ones cost the connection (behaviour.md 8). A text of control characters grows sixfold. */
const LARGEST_FRAME = 8 * 1024 * 1024 - 1_024
const statuses = [200, 202, 403, 404, 405, 429]

const target = await startTarget(t)
const { client } = target
const before = await target.report()
const heaps: number[] = []
const stopwatch = createStopwatch()
let cut = 0
const sockets: RawSocket[] = []
const idle: RawSocket[] = []
let turn = 0

function plain(socket: RawSocket): Promise<Json> {
  return socket.emit('join_group', [target.group])
}

/** Sends a frame; whatever it does, what follows is acknowledged, or the connection closed. */
async function sendFrame(frame: string | Uint8Array): Promise<void> {
  const socket = idle.pop() ?? (await openRawSocket(client.socketUrl, HANG))
  socket.send(frame)
  const said = String(frame)
  // Whoever takes their leave is not answered any more.
  if (said.startsWith('41')) return socket.close()
  const outcome = await plain(socket).catch((error: unknown) => error)
  if (socket.open) idle.push(socket)
  else cut++
  if (socket.open && outcome instanceof Error) {
    throw new Error(`${outcome.message} after ${JSON.stringify(said.slice(0, 2_000))}`)
  }
}

async function emit(event: ClientEvent, args: unknown[]): Promise<void> {
  if (Buffer.byteLength(JSON.stringify(args)) > LARGEST_FRAME) return emitAlone(event, args)
  const socket = sockets[turn++ % SOCKETS] as RawSocket
  const ack = await stopwatch.time(() =>
    socket.emit(event, args).catch((error: unknown): Json => String(error)),
  )
  const status = Number(at(ack, 'status'))
  if (statuses.includes(status) && compareAck(event, ack, status).length === 0) return
  const sent = JSON.stringify(args).slice(0, 2_000)
  throw new Error(`${event} was acknowledged with ${JSON.stringify(ack)}: ${sent}`)
}

/** Sends what may cost the connection over one of its own. */
async function emitAlone(event: ClientEvent, args: unknown[]): Promise<void> {
  const socket = await openRawSocket(client.socketUrl, HANG)
  const outcome = await socket.emit(event, args).catch((error: unknown) => error)
  if (socket.open && outcome instanceof Error) throw outcome
  await socket.close()
}

for (let round = 1; round <= ROUNDS; round++) {
  await t.test(`round ${round}: every event is acknowledged`, async (t) => {
    for (let index = 0; index < SOCKETS; index++) {
      sockets[index] = await openRawSocket(client.socketUrl, HANG)
    }
    for (const { name } of events) {
      const args = hostileArguments(name, target)
      const wrong = await firstWrong(args, INPUTS / ROUNDS, SEED + round, (one) => emit(name, one))
      t.equal(wrong, undefined, name)
    }
    t.ok(
      sockets.every(({ open }) => open),
      'no connection was lost',
    )

    const wrong = await firstWrong(hostileFrames, INPUTS / ROUNDS, SEED + round, (frame) =>
      stopwatch.time(() => sendFrame(frame)),
    )
    t.equal(wrong, undefined, 'frames')
    // Each is several requests on connections of their own, so there are fewer.
    const few = Math.ceil(INPUTS / ROUNDS / 10)
    const polls = await firstWrong(hostilePackets, few, SEED + round, (packets) =>
      stopwatch.time(() => poll(client.socketUrl, packets)),
    )
    t.equal(polls, undefined, 'packets over polling')
    const handshakes = await firstWrong(hostileHandshakes, few, SEED + round, (handshake) =>
      stopwatch.time(() => shakeHands(client.socketUrl, handshake)),
    )
    t.equal(handshakes, undefined, 'handshakes')

    const [socket] = sockets as [RawSocket]
    const hang = await stopwatch.hang(() => plain(socket))
    t.equal(hang, undefined, 'none takes 2 s longer than a plain event')
    await Promise.all([...sockets, ...idle.splice(0)].map((socket) => socket.close()))
    const { pid, bytes } = await held(target)
    t.equal(pid, before.pid, 'the same process')
    heaps.push(bytes)
  })
}

await t.test('afterwards people talk as before, and nothing more is held', async (t) => {
  const [a, b] = [await register(client, '甲'), await register(client, '乙')]
  await client.post('/friend/add', { userId: a.id, friendId: b.id })
  await client.post('/friend/agree', { userId: b.id, friendId: a.id })
  const [socketA, socketB] = [await online(t, client, a), await online(t, client, b)]
  t.equal(at(await say(socketA, a, b, '你好'), 'status'), 200)
  const [message = null] = await socketB.next('private_chat')
  t.equal(at(message, 'message'), '你好')
  socketA.close()
  socketB.close()

  const { pid } = await target.report()
  t.equal(pid, before.pid, 'the same process')
  const [, warm = 0, , end = 0] = heaps
  const mebibytes = heaps.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(', ')
  const most = mostGrowth(((ROUNDS - 2) / ROUNDS) * INPUTS * (events.length + 1))
  t.ok(end - warm < most, `memory after each round: ${mebibytes} MiB`)
  t.same(await handlesBackTo(target, before), {}, 'no handle more than before')
  const { sent, slowest } = stopwatch
  t.comment(`${sent} inputs, ${cut} connections cost by frames`)
  t.comment(`the slowest acknowledgement after ${Math.round(slowest)} ms, seed ${SEED}`)
})
