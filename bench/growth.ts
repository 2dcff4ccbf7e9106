/** What requests touch, in databases of different sizes: machine-independent. */
import { searchGroups, searchUsers } from '../src/accounts/queries.ts'
import { newId } from '../src/wire/ids.ts'
import {
  friendMessagePage,
  groupMessagePage,
  listConversations,
  markRead,
  storeMessages,
} from '../src/messages/queries.ts'
import type { Queryable } from '../src/database/connection.ts'
import type { NewMessage } from '../src/messages/queries.ts'
import { missedMessages } from '../src/messages/live.ts'
import { readFeed } from '../src/spaces/feed.ts'
import { openExplaining } from './lib/explain.ts'
import { KNOWN_GROUP, KNOWN_NAME } from './lib/rows.ts'
import { idOf, LONG } from './lib/world.ts'

/** One request whose cost must not grow. */
export interface Growing {
  readonly name: string
  /** Pages that it may touch at most, in any database. */
  readonly most: number
  readonly work: (db: Queryable) => Promise<unknown>
}

const user = idOf('user', LONG.user)
const friend = idOf('user', LONG.friend)

const message = (conversation: NewMessage['conversation'], targetId: string): NewMessage => ({
  id: newId(),
  conversation,
  senderId: user,
  targetId,
  kind: 'text',
  body: '今天天气不错',
  sentAt: new Date(),
})

export const growing: readonly Growing[] = [
  { name: 'newest page', most: 60, work: (db) => friendMessagePage(db, user, friend, 1) },
  { name: 'page 50', most: 60, work: (db) => friendMessagePage(db, user, friend, 50) },
  { name: 'group page', most: 160, work: (db) => groupMessagePage(db, user, idOf('group', 1), 1) },
  { name: 'feed', most: 1500, work: (db) => readFeed(db, user, 1) },
  { name: 'message list', most: 2000, work: (db) => listConversations(db, user) },
  { name: 'mark read', most: 90, work: (db) => markRead(db, 'private', user, friend) },
  { name: 'search, 1 character', most: 600, work: (db) => searchUsers(db, KNOWN_NAME.slice(0, 1)) },
  {
    name: 'search, 2 characters',
    most: 600,
    work: (db) => searchUsers(db, KNOWN_NAME.slice(0, 2)),
  },
  { name: 'search, 3 characters', most: 800, work: (db) => searchUsers(db, KNOWN_NAME) },
  { name: 'search of groups', most: 800, work: (db) => searchGroups(db, KNOWN_GROUP.slice(0, 2)) },
  {
    name: 'coming back, nothing missed',
    most: 800,
    work: (db) => missedMessages(db, user, 1e15, 500, 2e6),
  },
  {
    name: 'send to a friend',
    most: 240,
    work: (db) => storeMessages(db, [message('private', friend)], false),
  },
  {
    name: 'send to 200 members',
    most: 240,
    work: (db) => storeMessages(db, [message('group', idOf('group', 1))], false),
  },
  {
    name: 'send to the largest group',
    most: 240,
    work: (db) => storeMessages(db, [message('group', idOf('group', 0))], false),
  },
]

/** Pages that each request touches in one database, and by how many statements. */
export async function measureGrowth(
  url: string,
): Promise<Map<string, { pages: number; statements: number }>> {
  const explaining = await openExplaining(url)
  try {
    const touched = new Map<string, { pages: number; statements: number }>()
    for (const { name, work } of growing) touched.set(name, await explaining.buffers(work))
    return touched
  } finally {
    await explaining.close()
  }
}

/** Pages touched by the newest page and by an old page of the longest conversation. */
export async function measureDepth(
  url: string,
  page = LONG.messages / 20,
): Promise<{ newest: number; deep: number; page: number }> {
  const explaining = await openExplaining(url)
  const pagesOf = async (page: number) =>
    (await explaining.buffers((db) => friendMessagePage(db, user, friend, page))).pages
  try {
    return { newest: await pagesOf(1), deep: await pagesOf(page), page }
  } finally {
    await explaining.close()
  }
}
