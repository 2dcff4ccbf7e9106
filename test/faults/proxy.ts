import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Scope } from './server.ts'

/** How a connection breaks: both ends learn of it, or only the client does. */
export type Cut = 'whole' | 'half'

/** After how many milliseconds a connection is cut, and how. */
export type Fate = () => readonly [after: number, how: Cut]

/** For how long the answer to what is doomed may come, in milliseconds. */
const UNHEARD = 50

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

/** A TCP proxy between clients and a server, that cuts connections. */
export class Proxy {
  readonly url: string
  /** Connections that were cut so far. */
  cuts = 0
  readonly #pairs = new Set<Pair>()
  #fate: Fate | undefined
  #shut = false
  #doomedWord: string | undefined

  private constructor(url: string) {
    this.url = url
  }

  static async start(scope: Scope, target: string): Promise<Proxy> {
    const { hostname, port } = new URL(target)
    const server = createServer({ noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new Proxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.on('connection', (client) => {
      if (proxy.#shut) {
        client.resetAndDestroy()
        return
      }
      const pair = {
        client,
        server: connect({ host: hostname, port: Number(port), noDelay: true }),
      }
      proxy.#join(pair)
    })
    scope.teardown(async () => {
      proxy.calm()
      proxy.cut('whole')
      server.close()
    })
    return proxy
  }

  #join(pair: Pair): void {
    this.#pairs.add(pair)
    this.#meet(pair)
    const { client, server } = pair
    client.on('data', (sent: Buffer) => {
      if (this.#doomedWord === undefined || !sent.includes(this.#doomedWord)) return
      this.#doomedWord = undefined
      server.unpipe(client)
      server.resume()
      setTimeout(() => this.#cut(pair, 'whole'), UNHEARD)
    })
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined)
      one.on('close', () => {
        this.#pairs.delete(pair)
        other.destroy()
      })
      one.pipe(other)
    }
  }

  /** Lets a connection meet its fate, if there is one by then. */
  #meet(pair: Pair): void {
    if (this.#fate === undefined) return
    const [after, how] = this.#fate()
    setTimeout(() => this.#fate === undefined || this.#cut(pair, how), after).unref()
  }

  #cut(pair: Pair, how: Cut): void {
    if (!this.#pairs.delete(pair)) return
    this.cuts += 1
    const { client, server } = pair
    if (how === 'half') {
      // The server's end stays open, and what the server sends is swallowed.
      client.removeAllListeners('close')
      server.unpipe(client)
      server.resume()
    } else {
      server.resetAndDestroy()
    }
    client.resetAndDestroy()
  }

  /** Cuts the connections that there are now. */
  cut(how: Cut): void {
    for (const pair of [...this.#pairs]) this.#cut(pair, how)
  }

  /** What next has a word in it reaches the server; the answer is lost, and the connection cut. */
  loseAnswerTo(word: string): void {
    this.#doomedWord = word
  }

  /** Cuts every connection from now on, each in its time. */
  rage(fate: Fate): void {
    this.#fate = fate
    for (const pair of this.#pairs) this.#meet(pair)
  }

  /** Ends `rage`. */
  calm(): void {
    this.#fate = undefined
  }

  /** Lets nobody through until `open`; whoever comes is cut at once. */
  shut(): void {
    this.#shut = true
    this.cut('whole')
  }

  open(): void {
    this.#shut = false
  }

  /** Takes in nothing more of what the server sends, as a client that hangs does. */
  stall(): void {
    for (const { server, client } of this.#pairs) {
      server.unpipe(client)
      server.pause()
    }
  }

  /** Goes on after `stall`. */
  flow(): void {
    for (const { server, client } of this.#pairs) server.pipe(client)
  }
}
