import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** A request with exactly these headers, as any program or web page may send it. */
export async function raw(
  url: string,
  headers: Record<string, string> = {},
  { method = 'GET', body = '' }: { method?: string; body?: string | Uint8Array } = {},
): Promise<RawAnswer> {
  const sent = request(url, { method, headers, agent: false })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const { statusCode = 0, headers: received } = response
  return { status: statusCode, headers: received, text: await text(response) }
}

/** Asks for a WebSocket at a socket.io server; 101 when it opens. */
export async function rawHandshake(
  socketUrl: string,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const sent = request(`${socketUrl}/socket.io/?EIO=4&transport=websocket`, {
    agent: false,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  })
  sent.end()
  return new Promise((resolve, reject) => {
    sent.once('error', reject)
    sent.once('upgrade', ({ headers: received }, socket) => {
      socket.destroy()
      resolve({ status: 101, headers: received, text: '' })
    })
    sent.once('response', (response) => {
      const { statusCode = 0, headers: received } = response
      text(response).then(
        (body) => resolve({ status: statusCode, headers: received, text: body }),
        reject,
      )
    })
  })
}
