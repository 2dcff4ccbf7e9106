import assert from 'node:assert/strict'
import { execute } from './databases.ts'

/** Throws when some unread count is not what counting the messages gives. */
export async function assertUnreadCounts(databaseUrl: string): Promise<void> {
  const wrong = 'select * from unread_proof where unread is distinct from recounted'
  assert.deepEqual((await execute(databaseUrl, wrong)).rows, [], 'unread counts')
}
