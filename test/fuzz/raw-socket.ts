import { WebSocket } from 'undici'
import { electron } from '../contract/client.ts'
import type { Json } from '../contract/json.ts'

/** A WebSocket that speaks engine.io and socket.io by hand, so that it may say anything. */
export interface RawSocket {
  readonly open: boolean
  /** Sends a frame as it is. */
  send(frame: string | Uint8Array): void
  /** Sends an event and gives its acknowledgement; rejects when the connection closes before. */
  emit(event: string, args: readonly unknown[]): Promise<Json>
  close(): Promise<void>
}

/** Connects as socket.io clients do. */
export function openRawSocket(url: string, hang: number): Promise<RawSocket> {
  const address = `${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`
  const socket = new WebSocket(address, { headers: electron })
  const waiting = new Map<number, (ack: Json | undefined) => void>()
  // Hostile frames carry small ids of their own.
  let lastId = 1_000
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => {
      for (const settle of waiting.values()) settle(undefined)
      waiting.clear()
      resolve()
    })
  })
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no connection')), hang)
    socket.addEventListener('error', () => reject(new Error('no connection')))
    socket.addEventListener('message', ({ data }) => {
      const frame = String(data)
      if (frame.startsWith('0')) socket.send('40')
      else if (frame === '2') socket.send('3')
      else if (frame.startsWith('40')) {
        clearTimeout(late)
        resolve(raw)
      } else {
        const [, id, text = ''] = /^43(\d+)(.*)$/s.exec(frame) ?? []
        const [ack = null] = id === undefined ? [] : (JSON.parse(text) as Json[])
        waiting.get(Number(id))?.(ack)
        waiting.delete(Number(id))
      }
    })
    const raw: RawSocket = {
      get open() {
        return socket.readyState === WebSocket.OPEN
      },
      send: (frame) => socket.send(frame),
      emit: (event, args) =>
        new Promise((resolve, reject) => {
          const id = ++lastId
          const late = setTimeout(() => reject(new Error('no acknowledgement')), hang)
          waiting.set(id, (ack) => {
            clearTimeout(late)
            if (ack === undefined) reject(new Error('the connection was closed'))
            else resolve(ack)
          })
          socket.send(`42${id}${JSON.stringify([event, ...args])}`)
        }),
      async close() {
        socket.close()
        await closed
      },
    }
  })
}
