import { type Database, type Queryable, statement } from '../database/connection.ts'
import type { Friendship } from '../database/schema.ts'
import { friendshipState, ofKnownUser } from '../accounts/queries.ts'
import { holdMessages } from '../messages/queries.ts'
import { newId } from '../wire/ids.ts'

/** Friends or applications that one list shows at most. */
const MOST_LISTED = 1000

/** What became of an application. */
export type Application = 'requested' | 'accepted' | 'already friends' | 'no such user'

const lockedPair = statement<[id: string]>(
  'friends_lock_pair',
  'select id from users where id in ($1, $2) order by id for no key update',
)
const insertedApplication = statement(
  'friends_insert_application',
  `insert into friendships (id, user_id, friend_id, state)
  values ($3, $1, $2, 'requested'), ($4, $2, $1, 'received')`,
)
// The conversation of earlier days is found again; nothing in it is unread (behaviour.md 4).
const accepted = statement(
  'friends_accept',
  `with conversation as (
    insert into conversations (kind, low_user_id, high_user_id) values ('private', $3, $4)
    on conflict (low_user_id, high_user_id) do update set kind = excluded.kind
    returning id, last_seq
  )
  update friendships set state = 'accepted', conversation_id = conversation.id,
    start_seq = conversation.last_seq, read_seq = conversation.last_seq,
    sent_total = 0, sent_when_read = 0
  from conversation
  where (user_id = $1 and friend_id = $2) or (user_id = $2 and friend_id = $1)`,
)
const deletedPair = statement(
  'friends_delete_pair',
  `delete from friendships
  where (user_id = $1 and friend_id = $2) or (user_id = $2 and friend_id = $1)`,
)

/** Runs `work` while no one else changes how two people stand to each other. */
function withPair<Result>(
  db: Database,
  userId: string,
  friendId: string,
  work: (tx: Queryable, state: Friendship['state'] | undefined, known: boolean) => Promise<Result>,
): Promise<Result> {
  return db.transaction(async (tx) => {
    const found = await tx.run(lockedPair, [userId, friendId])
    return work(tx, await friendshipState(tx, userId, friendId), found.length === 2)
  })
}

async function accept(tx: Queryable, userId: string, friendId: string): Promise<void> {
  const [low, high] = userId < friendId ? [userId, friendId] : [friendId, userId]
  await tx.run(accepted, [userId, friendId, low, high])
}

/** `userId` applies to `friendId`; where `friendId` applied before, they become friends. */
export function applyForFriendship(
  db: Database,
  userId: string,
  friendId: string,
): Promise<Application> {
  return withPair(db, userId, friendId, async (tx, state, known) => {
    if (!known) return 'no such user'
    if (state === 'accepted') return 'already friends'
    if (state === 'received') {
      await accept(tx, userId, friendId)
      return 'accepted'
    }
    if (state === undefined) await tx.run(insertedApplication, [userId, friendId, newId(), newId()])
    return 'requested'
  })
}

/** `userId` accepts what `friendId` applied for; false when there is no such application. */
export function agreeToFriendship(
  db: Database,
  userId: string,
  friendId: string,
): Promise<boolean> {
  return withPair(db, userId, friendId, async (tx, state) => {
    if (state !== 'received') return false
    await accept(tx, userId, friendId)
    return true
  })
}

/** `userId` refuses what `friendId` applied for; false when there is no such application. */
export function refuseFriendship(db: Database, userId: string, friendId: string): Promise<boolean> {
  return withPair(db, userId, friendId, async (tx, state) => {
    if (state !== 'received') return false
    await tx.run(deletedPair, [userId, friendId])
    return true
  })
}

/** Ends a friendship, in whatever state; the messages stay. Nothing happens to strangers. */
export function deleteFriendship(db: Database, userId: string, friendId: string): Promise<void> {
  return withPair(db, userId, friendId, async (tx, state) => {
    if (state === 'accepted') await holdMessages(tx)
    await tx.run(deletedPair, [userId, friendId])
  })
}

/** A friendship with the person on its other side. */
export type FriendRow = readonly [
  id: string,
  friendId: string,
  nick: string,
  avatarUrl: string,
  sign: string,
  createdAt: Date,
]

/** An application with the person on its other side. */
export type ApplicationRow = readonly [
  id: string,
  friendId: string,
  nick: string,
  avatarUrl: string,
  createdAt: Date,
  state: Friendship['state'],
]

const friends = statement<FriendRow>(
  'friends_list',
  `select f.id, u.id, u.nick, u.avatar_url, u.sign, f.created_at
  from friendships f join users u on u.id = f.friend_id
  where f.user_id = $1 and f.state = 'accepted'
  order by f.created_at, f.id limit ${MOST_LISTED}`,
)
const applications = statement<ApplicationRow>(
  'friends_applications',
  `select f.id, u.id, u.nick, u.avatar_url, f.created_at, f.state
  from friendships f join users u on u.id = f.friend_id
  where f.user_id = $1 and f.state <> 'accepted'
  order by f.created_at desc, f.id desc limit ${MOST_LISTED}`,
)

/** Somebody's friends, oldest friendship first; undefined when there is no such user. */
export async function listFriends(db: Queryable, userId: string) {
  return ofKnownUser(db, userId, await db.run(friends, [userId]))
}

/** Waiting applications from and to somebody, newest first; undefined for an unknown user. */
export async function listApplications(db: Queryable, userId: string) {
  return ofKnownUser(db, userId, await db.run(applications, [userId]))
}
