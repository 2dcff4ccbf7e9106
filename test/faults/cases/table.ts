import type { Finding } from '../auditor.ts'
import type { Outcome, Terms } from '../outcome.ts'
import type { SabotageName } from '../sabotages.ts'
import { eager } from '../device.ts'
import { databaseKills } from './database-kills.ts'
import { flapping } from './flapping.ts'
import { lostRights } from './lost-rights.ts'
import { orderlyStops } from './orderly-stops.ts'
import { serverKills } from './server-kills.ts'
import { terminatedBackends } from './terminated-backends.ts'
import { typedOffline } from './typed-offline.ts'

/** What must be found with the protection gone. */
export interface Control {
  readonly sabotage: SabotageName
  readonly finds: Finding
}

/** The cases of a lane run one after the other, the lanes side by side: most of it is waiting. */
export const lanes = ['crashes', 'stops', 'absences'] as const

/** One fault, and what shows that the auditor would notice. */
export interface Case {
  readonly name: string
  readonly lane: (typeof lanes)[number]
  /** At the size of the fault suite. */
  readonly full: (terms: Terms) => Promise<Outcome>
  /** At the size of the controls, and of the ordinary tests. */
  readonly small: (terms: Terms) => Promise<Outcome>
  readonly controls: readonly Control[]
}

export const cases: readonly Case[] = [
  {
    name: 'server killed',
    lane: 'crashes',
    full: (terms) => serverKills(terms, { senders: 50, acknowledged: 50_000, kills: 20 }),
    small: (terms) =>
      serverKills(terms, { senders: 10, acknowledged: 300, kills: 1, client: eager }),
    controls: [
      { sabotage: 'acknowledgeFirst', finds: 'acknowledged, but not stored' },
      { sabotage: 'deliverFirst', finds: 'shown, but not stored' },
      { sabotage: 'noReplay', finds: 'missing' },
    ],
  },
  {
    name: 'database killed',
    lane: 'crashes',
    full: (terms) => databaseKills(terms, { senders: 50, kills: 10 }),
    small: (terms) => databaseKills(terms, { senders: 10, kills: 1 }),
    controls: [
      { sabotage: 'deafPool', finds: 'server ended' },
      { sabotage: 'commitLater', finds: 'acknowledged, but not stored' },
    ],
  },
  {
    name: 'connections cut',
    lane: 'absences',
    full: (terms) => flapping(terms, { clients: 200, seconds: 180, kills: 2 }),
    small: (terms) => flapping(terms, { clients: 10, seconds: 6, kills: 0 }),
    controls: [
      { sabotage: 'noRecovery', finds: 'missing' },
      { sabotage: 'blindBookmark', finds: 'shown twice' },
    ],
  },
  {
    name: 'rights lost while away',
    lane: 'absences',
    full: (terms) => lostRights(terms, { rounds: 20, together: 50 }),
    small: (terms) => lostRights(terms, { rounds: 1, together: 12 }),
    controls: [
      { sabotage: 'keepSession', finds: 'shown without a right' },
      { sabotage: 'formerMembers', finds: 'shown without a right' },
      { sabotage: 'heedlessReturn', finds: 'shown without a right' },
    ],
  },
  {
    name: 'typed while the server was down',
    lane: 'crashes',
    full: (terms) => typedOffline(terms, { clients: 100, rounds: 4 }),
    small: (terms) => typedOffline(terms, { clients: 10, rounds: 2, client: eager }),
    controls: [{ sabotage: 'silentStrangers', finds: 'sent, but not stored' }],
  },
  {
    name: 'server stopped',
    lane: 'stops',
    full: (terms) => orderlyStops(terms, { clients: 1_000, requests: 200, stops: 20 }),
    small: (terms) => orderlyStops(terms, { clients: 50, requests: 40, stops: 1, client: eager }),
    controls: [
      { sabotage: 'disconnectAll', finds: 'client gone' },
      { sabotage: 'dropRequests', finds: 'answer broken' },
    ],
  },
  {
    name: 'backends terminated',
    lane: 'stops',
    full: (terms) => terminatedBackends(terms, { senders: 50, seconds: 60 }),
    small: (terms) => terminatedBackends(terms, { senders: 12, seconds: 4 }),
    controls: [
      { sabotage: 'deafClients', finds: 'server ended' },
      { sabotage: 'forgetIds', finds: 'stored twice' },
      { sabotage: 'leakClients', finds: 'pool of another size' },
    ],
  },
]
