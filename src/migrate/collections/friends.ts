import { statement } from '../../database/connection.ts'
import type { Friendship } from '../../database/schema.ts'
import { friendStateNumber } from '../../accounts/documents.ts'
import type { Place } from '../messages/places.ts'
import { date, objectId, whole } from '../extended-json.ts'
import { madeId } from '../made-ids.ts'
import { type Mending, Rejection } from '../rules.ts'
import type { Translation } from '../translation.ts'

export type FriendRow = Pick<Friendship, 'id' | 'userId' | 'friendId' | 'state' | 'createdAt'> &
  Partial<Place>

const STATES = new Map<number | undefined, Friendship['state']>([
  [0, 'requested'],
  [1, 'accepted'],
  [4, 'received'],
])

const found = statement<
  [
    id: string,
    userId: string,
    friendId: string,
    state: Friendship['state'],
    createdAt: Date,
    startSeq: number,
    readSeq: number,
  ]
>(
  'import_find_friendships',
  `select id, user_id, friend_id, state, created_at, start_seq, read_seq
  from friendships where id = any ($1::text[])`,
)

/** One direction of a friendship; pairs of them are settled and stored together. */
export const friends: Translation<FriendRow> = {
  collection: 'friends',
  details: [],
  places: ['startSeq', 'readSeq'],
  page: statement(
    'import_page_friendships',
    'select id from friendships where id > $1 order by id limit $2',
  ),

  read(reader) {
    const userId = reader.reference('userId')
    const friendId = reader.reference('friendId')
    if (userId === friendId) throw new Rejection('friend-self', userId)
    const number = reader.number('state')
    const state = STATES.get(number)
    if (state === undefined) throw new Rejection('state-unknown', String(number))
    return {
      ...{ id: reader.id, userId, friendId, state },
      createdAt: reader.time('time'),
      startSeq: reader.detailedNumber('startSeq'),
      readSeq: reader.detailedNumber('readSeq'),
    }
  },

  render: (row) => ({
    _id: objectId(row.id),
    userId: objectId(row.userId),
    friendId: objectId(row.friendId),
    time: date(row.createdAt),
    state: whole(friendStateNumber(row.state)),
    __v: whole(0),
  }),

  store: () => Promise.reject(new Error('friendships are stored as pairs')),

  async find(db, ids) {
    const rows = await db.run(found, [ids])
    return rows.map(([id, userId, friendId, state, createdAt, startSeq, readSeq]) => ({
      ...{ id, userId, friendId, state, createdAt, startSeq, readSeq },
    }))
  },
}

/** What the two directions of a friendship have in common. */
export function pairKey({ userId, friendId }: FriendRow): string {
  return userId < friendId ? userId + friendId : friendId + userId
}

/** Two rows that agree, and what became of the rows that they were made from. */
export interface Pair {
  readonly rows: readonly [FriendRow, FriendRow]
  /** The row of each document that stands for one now; others are surplus. */
  readonly kept: ReadonlyMap<string, FriendRow>
  readonly mended: ReadonlyMap<string, Mending>
}

/** What the other side of a friendship is called. */
const MIRROR = { requested: 'received', received: 'requested', accepted: 'accepted' } as const

/**
 * Makes two rows that agree out of all rows between two people (docs/migration.md): of several in
 * one direction the accepted one counts, then the oldest; a missing direction is added; if either
 * side is accepted, or each asked the other, they are friends; if each was asked, the older one
 * was.
 */
export function settlePair(rows: readonly FriendRow[]): Pair {
  const [first, ...others] = [...rows].sort(byWeight)
  if (first === undefined) throw new Error('a pair of no rows')
  const mended = new Map<string, Mending>()
  const back = others.find(({ userId }) => userId === first.friendId)
  if (back === undefined) {
    mended.set(first.id, 'friend-mirrored')
    const mirror = {
      id: madeId(first.id, 'mirror'),
      userId: first.friendId,
      friendId: first.userId,
      state: MIRROR[first.state],
      createdAt: first.createdAt,
    }
    return { rows: [first, mirror], kept: new Map([[first.id, first]]), mended }
  }
  const state = agreed(first, back)
  const pair = [
    { ...first, state },
    { ...back, state: MIRROR[state] },
  ] as const
  for (const [index, row] of [first, back].entries()) {
    const rule = state === 'accepted' ? 'friend-agreed' : 'friend-turned'
    if (pair[index]?.state !== row.state) mended.set(row.id, rule)
  }
  return { rows: pair, kept: new Map(pair.map((row) => [row.id, row])), mended }
}

/** The state of the first of two directions. */
function agreed(first: FriendRow, back: FriendRow): Friendship['state'] {
  if (first.state === 'accepted' || back.state === 'accepted') return 'accepted'
  if (first.state === MIRROR[back.state]) return first.state
  return first.state === 'requested' ? 'accepted' : first.state
}

function byWeight(one: FriendRow, other: FriendRow): number {
  const accepted = Number(other.state === 'accepted') - Number(one.state === 'accepted')
  const age = one.createdAt.getTime() - other.createdAt.getTime()
  return accepted || age || (one.id < other.id ? -1 : 1)
}
