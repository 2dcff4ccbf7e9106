import { Agent, request } from 'node:http'
import { quantile } from './table.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** One request on a kept connection, without the cost of fetch; gives the body of the answer. */
export function send(
  url: string,
  body?: Buffer,
  headers: Record<string, string | number> = {},
): Promise<Buffer> {
  const method = body === undefined ? 'GET' : 'POST'
  const length = body === undefined ? {} : { 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method, headers: { ...headers, ...length } }, (answer) => {
      answer.toArray().then((pieces) => resolve(Buffer.concat(pieces as Buffer[])), reject)
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

/**
 * Does a piece of work so many times, so many at a time.
 *
 * @returns the milliseconds that all of it took, and that 99 of 100 pieces took at most
 */
export async function repeat(
  times: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<{ wall: number; p99: number }> {
  const start = performance.now()
  const delays: number[] = []
  let next = 0
  const worker = async () => {
    while (next < times) {
      const began = performance.now()
      await work(next++)
      delays.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { wall: performance.now() - start, p99: quantile(delays, 0.99) }
}

/** The existing client's body for one chunk of a file, with the headers that it needs. */
export function chunkForm(fileHash: string, index: number, chunk: Buffer) {
  const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gWx'
  const field = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const body = Buffer.concat([
    Buffer.from(field('fileHash', fileHash) + field('chunkHash', `${fileHash}-${index}`)),
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="chunk"; filename="blob"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    chunk,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  return { body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
}
