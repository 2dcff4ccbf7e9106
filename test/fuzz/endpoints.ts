import type { Test } from 'tap'
import fc from 'fast-check'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Pool } from 'undici'
import { electron } from '../contract/client.ts'
import { endpoints, type Endpoint } from '../contract/contract.ts'
import { createStopwatch, HANG, type Stopwatch } from './hangs.ts'
import { isDocumented } from './oracle.ts'
import { type HostileRequest, hostileRequests } from './requests.ts'
import {
  handlesBackTo,
  held,
  INPUTS,
  mostGrowth,
  SEED,
  startTarget,
  type Target,
} from './target.ts'

/** Requests of one run of a property; they are under way together. */
const TOGETHER = 50
/** Endpoints that are under fire at the same time. */
const AT_ONCE = 3
/** The first warms up; from the second to the last nothing may grow. */
const ROUNDS = 4

/**
 * Sends hostile requests to some endpoints, by their numbers: every answer must be one of the
 * documented bodies at HTTP 200, in time; the process must stay the same and hold no more than before.
 */
export async function fuzzEndpoints(
  t: Test,
  numbers: readonly number[],
  mode: 'open' | 'token' = 'open',
  inputs = INPUTS,
): Promise<void> {
  const target = await startTarget(t, mode)
  const chosen = endpoints.filter(({ number }) => numbers.includes(number))
  const before = await target.report()
  const pool = new Pool(target.client.http, {
    connections: TOGETHER * AT_ONCE,
    headersTimeout: HANG,
    bodyTimeout: HANG,
  })
  const stopwatch = createStopwatch()
  const withCredentials = (request: HostileRequest) => ({
    ...request,
    headers: { ...target.credentials, ...request.headers },
  })
  const plain = () => target.client.get('/contacts/friend', { userId: target.people[0]?.id })

  const heaps: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    await t.test(`round ${round}: every answer is documented, at HTTP 200`, async (t) => {
      const waiting = [...chosen].reverse()
      const work = async () => {
        for (let endpoint = waiting.pop(); endpoint !== undefined; endpoint = waiting.pop()) {
          const requests = hostileRequests(endpoint, target)
          const wrong = await firstWrong(requests, inputs / ROUNDS, SEED + round, (request) =>
            send(pool, endpoint, withCredentials(request), stopwatch),
          )
          t.equal(wrong, undefined, `${endpoint.number} ${endpoint.method} ${endpoint.url}`)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
      t.equal(await stopwatch.hang(plain), undefined, 'none takes 2 s longer than a plain request')
      const { pid, bytes } = await held(target)
      t.equal(pid, before.pid, 'the same process')
      heaps.push(bytes)
    })
  }

  await t.test('bodies that end too soon end their connections, and nothing else', async (t) => {
    for (const endpoint of chosen.filter(({ method }) => method === 'POST')) {
      const requests = fc.sample(hostileRequests(endpoint, target), {
        seed: SEED,
        numRuns: Math.ceil(inputs / 100),
      })
      const answers = await Promise.all(
        requests.map((request, index) => sendHalf(target, request, index)),
      )
      for (const answer of answers) {
        const fits = answer === undefined || isAnswerOf(endpoint, answer)
        if (!fits) t.fail(`${endpoint.number} ${endpoint.url}`, { answer, seed: SEED })
      }
    }
  })

  await t.test('afterwards the process is the same, and holds no more than before', async (t) => {
    await pool.close()
    t.ok(isDocumented(9, (await plain()).text))
    const { pid } = await target.report()
    t.equal(pid, before.pid, 'the same process')
    const [, warm = 0, , end = 0] = heaps
    const mebibytes = heaps.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(', ')
    const most = mostGrowth(((ROUNDS - 2) / ROUNDS) * inputs * chosen.length)
    t.ok(end - warm < most, `memory after each round: ${mebibytes} MiB`)
    t.same(await handlesBackTo(target, before), {}, 'no handle more than before')
    const { sent, slowest } = stopwatch
    t.comment(`${sent} requests, the slowest answer after ${Math.round(slowest)} ms, seed ${SEED}`)
  })
}

/** Sends inputs, many at a time; gives what is wrong with the first wrong answer, made small. */
export async function firstWrong<Input>(
  inputs: fc.Arbitrary<Input>,
  count: number,
  seed: number,
  check: (input: Input) => Promise<void>,
): Promise<string | undefined> {
  const together = Math.min(TOGETHER, count)
  const batches = fc.array(inputs, { minLength: together, maxLength: together })
  const property = fc.asyncProperty(batches, async (batch) => {
    await Promise.all(batch.map(check))
  })
  const numRuns = Math.ceil(count / together)
  const { failed, errorInstance } = await fc.check(property, { seed, numRuns, endOnFailure: true })
  return failed ? `FUZZ_SEED=${SEED}: ${String(errorInstance)}` : undefined
}

/** @throws when the answer is not documented */
async function send(
  pool: Pool,
  endpoint: Endpoint,
  request: HostileRequest,
  stopwatch: Stopwatch,
): Promise<void> {
  const { method, path, headers, body = null } = request
  const sent = { method, path, headers: { ...electron, ...headers }, body }
  const { statusCode, answer } = await stopwatch.time(async () => {
    const { statusCode, body } = await pool.request(sent)
    return { statusCode, answer: await body.text() }
  })
  if (statusCode === 200 && isAnswerOf(endpoint, answer)) return
  const shown = { ...request, body: request.body?.subarray(0, 2_000).toString() }
  throw new Error(
    `${endpoint.number} ${endpoint.url} answered ${statusCode} ${answer.slice(0, 500)} ` +
      `to ${JSON.stringify(shown)}`,
  )
}

/** The document has two endpoints at `/login`; which one is meant is up to the body. */
function isAnswerOf({ number, url }: Endpoint, text: string): boolean {
  return (
    isDocumented(number, text) || (url === '/login' && isDocumented(number === 2 ? 18 : 2, text))
  )
}

/**
 * Sends a body that ends too soon, and ends or resets the connection. Gives the body of the
 * answer; undefined when there is none, or one to what is no HTTP.
 */
async function sendHalf(
  { client }: Target,
  { path, headers, body = Buffer.alloc(0) }: HostileRequest,
  index: number,
): Promise<string | undefined> {
  const { hostname, port } = new URL(client.http)
  const socket = connect(Number(port), hostname)
  const hung = new Error(`${path} hangs`)
  socket.setTimeout(HANG, () => socket.destroy(hung))
  const chunked = index % 3 === 0
  const lines = Object.entries({
    host: hostname,
    ...headers,
    ...(chunked
      ? { 'transfer-encoding': 'chunked' }
      : { 'content-length': String(body.length + 9) }),
  }).map(([name, value]) => `${name}: ${value}`)
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  if (chunked) socket.write(`${body.length.toString(16)}\r\n`)
  socket.write(body.subarray(0, 100_000))
  if (index % 2 === 0) socket.resetAndDestroy()
  else socket.end()
  const answer = await text(socket).catch((error: unknown) => {
    if (error === hung) throw hung
    return ''
  })
  const [head = '', rest = ''] = answer.split('\r\n\r\n')
  if (answer === '' || /^HTTP\/1\.1 (400|431) /.test(head)) return undefined
  // Answered before the end was reached; that it is missing is answered on its own.
  return rest.split('HTTP/1.1 400')[0]
}
