import { type Fresh, sift } from './candidates.ts'
import { phoneOwners, users } from './collections/users.ts'
import { importFresh } from './plain.ts'
import { keepRejects, type Reject } from './rejects.ts'
import type { Run } from './run.ts'
import { readSources } from './sources.ts'

/** Passwords take time, and no more of them may wait for each other. */
const USERS_TOGETHER = 50

/**
 * Imports people. Who has taken over the old number of somebody that the dump gives a new one waits
 * until that one has it.
 */
export async function importUsers(run: Run): Promise<void> {
  const { collection } = users
  let waiting: Fresh[] = []
  const onBroken = (broken: Reject[]) => keepRejects(run, collection, broken)
  for await (const sources of readSources(run, collection, USERS_TOGETHER, onBroken)) {
    const { fresh, rejects } = await sift(run, collection, sources)
    const taken = await waitingForPhones(run, fresh)
    waiting.push(...taken)
    const now = fresh.filter((one) => !taken.includes(one))
    await importFresh(run, users, now, rejects)
  }
  for (let before = Infinity; waiting.length > 0 && waiting.length < before;) {
    before = waiting.length
    const taken = await waitingForPhones(run, waiting)
    const now = waiting.filter((one) => !taken.includes(one))
    for (let from = 0; from < now.length; from += USERS_TOGETHER) {
      await importFresh(run, users, now.slice(from, from + USERS_TOGETHER))
    }
    waiting = taken
  }
  for (let from = 0; from < waiting.length; from += USERS_TOGETHER) {
    await importFresh(run, users, waiting.slice(from, from + USERS_TOGETHER))
  }
}

/** Those whose number somebody else has here. */
async function waitingForPhones(run: Run, fresh: readonly Fresh[]): Promise<Fresh[]> {
  const read = fresh.flatMap((one) => {
    try {
      return [{ one, row: users.read(one.reader) }]
    } catch {
      return []
    }
  })
  const owners = await phoneOwners(
    run.db,
    read.map(({ row }) => row.phone),
  )
  return read.flatMap(({ one, row }) => ((owners.get(row.phone) ?? row.id) === row.id ? [] : [one]))
}
