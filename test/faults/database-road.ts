import { createTestDatabase } from '../helpers/databases.ts'
import { Proxy } from './proxy.ts'
import type { Scope } from './server.ts'

/** A database of a case's own, and the proxy through which its server reaches it. */
export interface DatabaseRoad {
  readonly road: Proxy
  /** The database itself. */
  readonly direct: string
  /** The database through the proxy. */
  readonly url: string
}

export async function makeDatabaseRoad(scope: Scope): Promise<DatabaseRoad> {
  const database = await createTestDatabase()
  scope.teardown(() => database.drop())
  const road = await Proxy.start(scope, database.url.replace('postgres:', 'http:'))
  const url = new URL(database.url)
  url.port = new URL(road.url).port
  return { road, direct: database.url, url: url.href }
}
