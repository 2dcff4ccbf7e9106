/** The floor: plain `node:http`, a body piped to a file, a file piped to an answer. */
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const [folder = '.'] = process.argv.slice(2)
let received = 0

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const file = createWriteStream(join(folder, String(received++)))
    request.pipe(file).once('finish', () => response.end('{"status":200}'))
    return
  }
  const path = join(folder, decodeURIComponent(request.url ?? ''))
  void stat(path).then(({ size }) => {
    response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': size })
    createReadStream(path).pipe(response)
  })
})
// Longer than a contestant's round, as the other server's is.
server.keepAliveTimeout = 30_000
server.listen(0, '127.0.0.1', () => {
  console.log(`HTTP http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.once('SIGTERM', () => process.exit())
