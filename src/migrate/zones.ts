import { type Queryable, statement } from '../database/connection.ts'
import { type WireTimes, wireTimes } from '../wire/times.ts'
import type { Known } from './ledger.ts'

const zones = statement<[id: number, timezone: string]>(
  'zones_of_imports',
  'select id, timezone from imports where timezone is not null',
)

/** How times were written when a document was imported; for new ones as they are now. */
export type TimesOf = (known: Known | undefined) => WireTimes

/**
 * Finds out in which zones documents were imported, so that one comes back with the texts that it
 * came with, whatever TIMEZONE says now.
 *
 * @param times for what was not imported, or before the zone was kept
 */
export async function loadZones(db: Queryable, times: WireTimes): Promise<TimesOf> {
  const rows = await db.run(zones, [])
  const byZone = new Map(
    rows.map(([, zone]) => [zone, zone === times.zone ? times : wireTimes(zone)]),
  )
  const byImport = new Map(rows.map(([id, zone]) => [id, byZone.get(zone)]))
  return (known) => (known && byImport.get(known.importId)) ?? times
}
