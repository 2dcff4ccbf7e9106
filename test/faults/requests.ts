import { request } from 'node:http'
import { electron } from '../contract/client.ts'

/** A request that is on its way. */
export interface Begun {
  /** It has left this process. */
  readonly sent: Promise<void>
  /** Why its answer is none; undefined when it is one. */
  readonly problem: Promise<string | undefined>
}

/** Begins a GET request on a connection of its own. */
export function beginRequest(url: string): Begun {
  const call = request(url, { headers: electron, agent: false })
  const sent = new Promise<void>((resolve) => call.once('finish', resolve))
  const problem = new Promise<string | undefined>((resolve) => {
    call.once('error', (error) => resolve(`${url} broke: ${error.message}`))
    call.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.once('error', (error) => resolve(`${url} broke off: ${error.message}`))
      response.once('end', () => {
        const isWhole = response.complete && response.statusCode === 200 && /"status":\d/.test(text)
        resolve(isWhole ? undefined : `${url} answered ${response.statusCode ?? 0} ${text}`)
      })
    })
  })
  call.end()
  return { sent, problem }
}
