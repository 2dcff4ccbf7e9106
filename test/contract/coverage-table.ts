import { endpoints } from './contract.ts'
import { events, type ClientEvent, type SentEvent } from './events.ts'

/**
 * The lines that the suite covers: `<endpoint> <case>`, `event <event>`. A line listed here
 * that no test hits is lost and fails the suite, and so does a hit line that is not listed.
 */
export const covered: readonly string[] = []

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
