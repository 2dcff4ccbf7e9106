import { encodeForm, encodeQuery, electron, type Fields } from '../contract/client.ts'
import type { History } from './history.ts'

/** Longest wait for an answer, in milliseconds. */
const LONGEST_ANSWER = 5_000

/** Calls endpoints as the existing client does, and notes every answer that is not one. */
export class Caller {
  readonly #http: string
  readonly #history: History
  answers = 0
  slowest = 0

  constructor(http: string, history: History) {
    this.#http = http
    this.#history = history
  }

  get(path: string, query: Fields): Promise<number> {
    return this.#call(`${path}?${encodeQuery(query)}`, {})
  }

  post(path: string, form: Fields): Promise<number> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.#call(path, { method: 'POST', headers, body: encodeForm(form) })
  }

  /** The status in the body; 0 where there is none. */
  async #call(path: string, init: RequestInit): Promise<number> {
    const started = performance.now()
    try {
      const signal = AbortSignal.timeout(2 * LONGEST_ANSWER)
      const headers = { ...electron, ...(init.headers as Record<string, string> | undefined) }
      const response = await fetch(this.#http + path, { ...init, headers, signal })
      const body = (await response.json()) as { status?: unknown }
      if (response.status !== 200 || typeof body.status !== 'number') {
        this.#history.note('answer broken', `${path}: HTTP ${response.status}`)
        return 0
      }
      this.answers += 1
      return body.status
    } catch (error) {
      const { cause, message } = error as Error
      this.#history.note(
        'answer broken',
        `${path} broke: ${cause instanceof Error ? cause.message : message}`,
      )
      return 0
    } finally {
      const took = performance.now() - started
      this.slowest = Math.max(this.slowest, took)
      if (took > LONGEST_ANSWER) {
        this.#history.note('answer late', `${path} took ${Math.round(took)} ms`)
      }
    }
  }
}
