import type { Test } from 'tap'
import { execute } from './databases.ts'

/** Asserts that every unread count is what counting the messages gives. */
export async function assertUnreadCounts(
  t: Pick<Test, 'same'>,
  databaseUrl: string,
  message = 'every unread count is what counting the messages gives',
): Promise<void> {
  const wrong = 'select * from unread_proof where unread <> recounted'
  t.same((await execute(databaseUrl, wrong)).rows, [], message)
}
