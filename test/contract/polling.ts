import { raw } from './raw.ts'

/** A socket.io client by hand, over polling: what it says, and when, is up to the test. */
export class Polling {
  readonly #url: string

  private constructor(url: string) {
    this.#url = url
  }

  /** Opens a connection of engine.io; no socket is connected yet. */
  static async open(socketUrl: string): Promise<Polling> {
    const url = `${socketUrl}/socket.io/?EIO=4&transport=polling`
    const { text } = await raw(url)
    const { sid } = JSON.parse(text.slice(1)) as { sid: string }
    return new Polling(`${url}&sid=${sid}`)
  }

  /** Packets as they are on the wire: `40` connects, `42[...]` is an event, `3` answers a ping. */
  async send(...packets: readonly string[]): Promise<void> {
    const headers = { 'content-type': 'text/plain;charset=UTF-8' }
    await raw(this.#url, headers, { method: 'POST', body: packets.join(SEPARATOR) })
  }

  /** Asks for packets until one begins as wanted; gives those that came up to then. */
  async receiveUntil(beginning: string): Promise<string[]> {
    const packets: string[] = []
    while (!packets.some((packet) => packet.startsWith(beginning))) {
      packets.push(...(await raw(this.#url)).text.split(SEPARATOR))
    }
    return packets
  }
}

const SEPARATOR = '\x1e'
