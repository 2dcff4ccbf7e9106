import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { electron } from '../contract/client.ts'
import type { History, Sent, Shown } from './history.ts'

interface Answer {
  status: number
  _id?: string
}
interface ChatMessage {
  message: string
}

/** How a client may differ from the existing one. */
export type ClientOptions = Partial<ManagerOptions & SocketOptions>

/** Tries again at once: where only few return, how long they wait in between shows nothing. */
export const eager: ClientOptions = { reconnectionDelay: 200, reconnectionDelayMax: 400 }

/** How often a device that should be back is asked, ten seconds each time. */
const ATTEMPTS = 30

/** One window of the existing client, with the options that it has: those of the library. */
export class Device {
  readonly socket: Socket
  readonly owner: string
  readonly shown: Shown
  readonly #history: History
  #sends = 0
  /** Sends whose answer the connection of now could still bring. */
  readonly #open = new Set<Sent>()

  constructor(url: string, owner: string, history: History, options: ClientOptions = {}) {
    this.owner = owner
    this.#history = history
    this.shown = {
      owner,
      device: `device ${history.shown.length}`,
      texts: [],
      news: [],
      strayNews: 0,
      notices: [],
    }
    history.shown.push(this.shown)
    this.socket = io(url, { forceNew: true, extraHeaders: electron, ...options })
    const onMessage = ({ message }: ChatMessage) => {
      this.shown.texts.push(message)
      this.shown.news.push(0)
    }
    this.socket.on('private_chat', onMessage)
    this.socket.on('group_chat', onMessage)
    this.socket.on('unread_message', () => {
      const last = this.shown.news.length - 1
      if (last < 0) this.shown.strayNews += 1
      else this.shown.news[last] = (this.shown.news[last] ?? 0) + 1
    })
    this.socket.on('apply_notice', ({ friendNoticeNum }: { friendNoticeNum: number }) => {
      this.shown.notices.push(friendNoticeNum)
    })
    // What was on its way when the connection broke is never answered; what is buffered still is.
    this.socket.on('disconnect', () => {
      const buffered = new Set(this.socket.sendBuffer.map((packet) => textOf(packet)))
      for (const sent of this.#open) if (!buffered.has(sent.text)) this.#open.delete(sent)
    })
  }

  /** Sends that are still to be answered. */
  get open(): number {
    return this.#open.size
  }

  /** Logs in as the client does, until the server has said so. */
  async login(): Promise<void> {
    await this.socket.emitWithAck('login', this.owner)
  }

  /** Resolves when it is connected and has been shown what it missed: what comes first. */
  async isBack(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        await this.socket.timeout(10_000).emitWithAck('join_group', this.owner)
        return
      } catch {
        // Not connected for so long, or cut off before the answer came.
      }
    }
    throw new Error(`${this.shown.device} does not come back`)
  }

  /** Sends a message whose answer is recorded, as soon as there is one. */
  send(conversation: Sent['conversation'], to: string): Sent {
    return this.#send(conversation, to, true)
  }

  /** Sends a message as the existing client does: without asking for an answer. */
  sendBlindly(conversation: Sent['conversation'], to: string): Sent {
    return this.#send(conversation, to, false)
  }

  #send(conversation: Sent['conversation'], to: string, answered: boolean): Sent {
    const text = `${this.owner} ${this.shown.device} ${this.#sends++}`
    const sent: Sent = { text, from: this.owner, conversation, to, sentAt: performance.now() }
    this.#history.sent.set(text, sent)
    const data = { msgType: 0, message: text }
    const event = `${conversation}_chat`
    if (!answered) {
      this.socket.emit(event, data, this.owner, to)
      return sent
    }
    this.#open.add(sent)
    this.socket.emit(event, data, this.owner, to, (answer: Answer) => {
      this.#open.delete(sent)
      this.#history.answer(sent, answer)
    })
    return sent
  }

  /** Breaks the connection as a network does; the client comes back when it is let. */
  drop(): void {
    this.socket.io.engine.close()
  }

  close(): void {
    this.socket.disconnect()
  }
}

function textOf({ data }: { data?: unknown }): string | undefined {
  return Array.isArray(data) ? (data[1] as ChatMessage | undefined)?.message : undefined
}
