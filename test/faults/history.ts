/** What the load generator recorded: every send, every answer and every receipt. */

/** A message as it was sent; its text is like no other. */
export interface Sent {
  readonly text: string
  readonly from: string
  readonly conversation: 'private' | 'group'
  /** The friend or group that it was for. */
  readonly to: string
  readonly sentAt: number
  /** Of the answer; undefined while there is none. */
  status?: number
  id?: string
  answeredAt?: number
}

/** What one device was shown, in the order in which it was. */
export interface Shown {
  readonly owner: string
  readonly device: string
  readonly texts: string[]
  /** For each message shown, how often the news that it is unread came after it. */
  readonly news: number[]
  /** Such news with no message before them. */
  strayNews: number
  /** Of each `apply_notice`: how many wait to become friends. */
  readonly notices: number[]
}

/** What must not happen, seen by the clients themselves. */
export type Incident =
  | 'server ended'
  | 'answer broken'
  | 'answer late'
  | 'stopped in disorder'
  | 'client gone'
  | 'shown a notice without a right'
  | 'notice missing'
  | 'pool of another size'

export class History {
  readonly sent = new Map<string, Sent>()
  readonly shown: Shown[] = []
  /** What happened that must not; any of it is a failure. */
  readonly incidents: { readonly incident: Incident; readonly what: string }[] = []
  #acknowledged = 0

  note(incident: Incident, what: string): void {
    this.incidents.push({ incident, what })
  }

  /** Notes the answer to a send. */
  answer(sent: Sent, { status, _id }: { readonly status: number; readonly _id?: string }): void {
    sent.status = status
    sent.answeredAt = performance.now()
    if (_id !== undefined) sent.id = _id
    if (status === 200) this.#acknowledged += 1
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Longest time from a send to its answer, in milliseconds, and how many have none. */
  slowest(): number {
    let longest = 0
    for (const { sentAt, answeredAt } of this.sent.values()) {
      longest = Math.max(longest, (answeredAt ?? sentAt) - sentAt)
    }
    return longest
  }
}
