import type { Access, Declared, Restricted, Role } from '../../../src/wire/access.ts'
import { endpoints } from '../../contract/contract.ts'
import { events } from '../../contract/events.ts'

/** An endpoint or event of the document, with what it declares. */
export interface Line {
  /** Number in the document; undefined for events. */
  readonly number: number | undefined
  readonly name: string
  readonly access: Access
}

/**
 * What the server declares, for each of the 47 endpoints and 8 events of the document.
 *
 * @throws when one of them declares nothing
 */
export function accessLines(declared: readonly Declared[]): Line[] {
  const used = new Map<string, number>()
  const endpointLines = endpoints.map(({ number, method, url }) => {
    const name = `${method} ${url}`
    const same = declared.filter((one) => one.name === name)
    // The document has two endpoints at one url (2 and 18), and one endpoint twice (30 and 35).
    const index = used.get(name) ?? 0
    used.set(name, index + 1)
    const access = (same[index] ?? same[0])?.access
    if (access === undefined) throw new Error(`${name} is not declared`)
    return { number, name, access }
  })
  const eventLines = events.map(({ name }) => {
    const access = declared.find((one) => one.name === name)?.access
    if (access === undefined) throw new Error(`${name} is not declared`)
    return { number: undefined, name, access }
  })
  return [...endpointLines, ...eventLines]
}

/** The part of docs/access.md between its markers. */
export function accessTable(lines: readonly Line[]): string {
  const rows = lines.map(({ number, name, access }) => {
    const [who, others] = inWords(access)
    return `| ${number ?? 'event'} | \`${name}\` | ${who} | ${others} |`
  })
  return [
    '| no | endpoint or event | who may | everybody else gets |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

const roleWords: Record<Role, (parameter: string) => string> = {
  self: (parameter) => `the user \`${parameter}\``,
  friend: (parameter) =>
    parameter === 'spaceId'
      ? `a friend of the author of \`${parameter}\``
      : `a friend of \`${parameter}\``,
  member: (parameter) => `a member of \`${parameter}\``,
  owner: (parameter) => `the owner of \`${parameter}\``,
  author: (parameter) => `the author of \`${parameter}\``,
  host: (parameter) => `the author of the space under which \`${parameter}\` stands`,
}

function inWords(access: Access): [who: string, others: string] {
  if (access === 'public') return ['everybody', '']
  if (access === 'user') return ['whoever is logged in', '401']
  const roles = rolesOf(access).map(([role, parameter]) => roleWords[role](parameter))
  const named = access.as === undefined ? '' : `the user \`${access.as}\``
  const acting = access.optional ? `${named}, or nobody named` : named
  if (roles.length === 0) return [acting, '401, 403']
  const others = access.otherwise ?? 403
  const answers = acting === '' || others === 403 ? [401, others] : [401, 403, others]
  const condition = roles.join(' or ')
  return [acting === '' ? condition : `${acting}, being ${condition}`, answers.join(', ')]
}

/** The roles of which one is asked for, with their parameters. */
export function rolesOf({ who = {} }: Restricted): [Role, string][] {
  return Object.entries(who) as [Role, string][]
}
