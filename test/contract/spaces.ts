import type { Client } from './client.ts'
import type { Expectation } from './contract.ts'
import { type Asserts, expectAnswer } from './coverage.ts'
import type { Person } from './people.ts'

/** What tests read out of a feed; whole entries are compared by `expectFeed`. */
export interface FeedEntry {
  readonly _id: string
  readonly likeList: readonly { readonly userId: { readonly _id: string } }[]
  readonly commentList: readonly { readonly _id: string; readonly textarea: string }[]
  readonly replyList: readonly (readonly { readonly _id: string }[])[]
}

/** Somebody's feed as it comes, to find ids in. */
export async function feedOf(
  client: Client,
  { id: userId }: Person,
  pageNum?: number,
): Promise<readonly FeedEntry[]> {
  const { body } = await client.get('/space/get', { userId, pageNum })
  return (body as unknown as { data: FeedEntry[] }).data
}

/** Asserts what somebody's feed shows, from its newest space to its oldest. */
export async function expectFeed(
  t: Asserts,
  client: Client,
  { id: userId }: Person,
  entries: readonly Expectation[],
): Promise<void> {
  expectAnswer(t, await client.get('/space/get', { userId }), 29, 'success', { data: entries })
}

/** Publishes a space with a text; gives its id. */
export async function publish(client: Client, by: Person, textDesc: string): Promise<string> {
  await client.post('/space/add', { userId: by.id, textDesc })
  return (await feedOf(client, by, 1))[0]?._id ?? ''
}

/** The body of a like. */
export const like = (spaceId: string, { id: userId }: Person) => ({ spaceId, userId })

/** The body of a comment; as the document says, it goes from its author to its author. */
export function comment(spaceId: string, { id: userId }: Person, textarea = 'lovefan') {
  return { userId, spaceId, textarea, fromId: userId, toId: userId }
}

/** The body of a reply to a comment. */
export function reply(
  spaceId: string,
  by: Person,
  spaceCommentId: string,
  { id: toId }: Person,
  textarea = 'xxx',
) {
  return { ...comment(spaceId, by, textarea), toId, spaceCommentId }
}
