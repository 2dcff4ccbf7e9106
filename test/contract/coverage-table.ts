import { endpoints } from './contract.ts'
import { events, type ClientEvent, type SentEvent } from './events.ts'

/**
 * The lines that the suite covers: `<endpoint> <case>`, `event <event>`. A line listed here
 * that no test hits is lost and fails the suite, and so does a hit line that is not listed.
 */
export const covered: readonly string[] = [
  '28 success',
  '28 error',
  '29 success',
  '29 error',
  '30 success',
  '30 error',
  '31 success',
  '31 error',
  '32 success',
  '32 error',
  '33 success',
  '33 error',
  '34 success',
  '34 error',
  '35 success',
  '35 error',
  '45 success',
  '45 error',
  '46 success',
  '46 error',
  '47 success',
  '47 error',
]

export interface Subject {
  name: string
  title: string
  lines: string[]
}

/** The key of the line of an event; the client's `private_chat` also causes unread_message. */
export const eventLine = (name: ClientEvent | SentEvent): string => `event ${name}`

/** Everything that can be covered: 47 endpoints and 8 socket events, with their lines. */
export const subjects: readonly Subject[] = [
  ...endpoints.map(({ number, title, responses }) => ({
    name: String(number),
    title,
    lines: responses.map((response) => `${number} ${response.case}`),
  })),
  ...events.map(({ name, sends }) => ({
    name: eventLine(name),
    title: sends.length === 0 ? 'acknowledged' : `sends ${sends.join(', ')}`,
    lines: (sends.length === 0 ? [name] : sends).map(eventLine),
  })),
]
