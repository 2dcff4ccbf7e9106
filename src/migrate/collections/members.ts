import { statement } from '../../database/connection.ts'
import type { GroupMember } from '../../database/schema.ts'
import type { Place } from '../messages/places.ts'
import { date, objectId, whole } from '../extended-json.ts'
import { Rejection } from '../rules.ts'
import { timeOfId } from '../times.ts'
import type { Translation } from '../translation.ts'

export interface MemberRow
  extends
    Pick<GroupMember, 'id' | 'groupId' | 'userId' | 'state' | 'createdAt' | 'joinedAt'>,
    Partial<Place> {
  /** Whether the document has a time: the original gives the owner's none. */
  readonly timed: boolean
}

const STATES = new Map<number | undefined, GroupMember['state']>([
  [0, 'requested'],
  [1, 'member'],
])
const NUMBERS = { requested: 0, member: 1 } as const

const found = statement<
  [
    id: string,
    groupId: string,
    userId: string,
    state: GroupMember['state'],
    createdAt: Date,
    joinedAt: Date | null,
    startSeq: number,
    readSeq: number,
    timed: boolean,
  ]
>(
  'import_find_members',
  `select m.id, m.group_id, m.user_id, m.state, m.created_at, m.joined_at,
    m.start_seq, m.read_seq, g.owner_id <> m.user_id
  from group_members m
  join groups g on g.id = m.group_id
  where m.id = any ($1::text[])`,
)

/** Members and applicants of groups. */
export const members: Translation<MemberRow> = {
  collection: 'group_users',
  details: ['createdAt', 'joinedAt'],
  places: ['startSeq', 'readSeq'],
  page: statement(
    'import_page_members',
    'select id from group_members where id > $1 order by id limit $2',
  ),

  read(reader) {
    const number = reader.number('state')
    const state = STATES.get(number)
    if (state === undefined) throw new Rejection('state-unknown', String(number))
    const timed = reader.has('time')
    const time = timed ? reader.time('time') : timeOfId(reader.id)
    return {
      id: reader.id,
      groupId: reader.reference('groupId'),
      userId: reader.reference('userId'),
      state,
      createdAt: reader.detailedTime('createdAt') ?? time,
      joinedAt: state === 'member' ? (reader.detailedTime('joinedAt') ?? time) : null,
      startSeq: reader.detailedNumber('startSeq'),
      readSeq: reader.detailedNumber('readSeq'),
      timed,
    }
  },

  render: (row) => ({
    _id: objectId(row.id),
    groupId: objectId(row.groupId),
    userId: objectId(row.userId),
    ...(row.timed ? { time: date(row.createdAt) } : {}),
    state: whole(NUMBERS[row.state]),
    __v: whole(0),
  }),

  store: () => Promise.reject(new Error('members are stored with what they have read')),

  async find(db, ids) {
    const rows = await db.run(found, [ids])
    return rows.map(
      ([id, groupId, userId, state, createdAt, joinedAt, startSeq, readSeq, timed]) => ({
        ...{ id, groupId, userId, state, createdAt, joinedAt, startSeq, readSeq, timed },
      }),
    )
  },
}

/** What all documents of one person in one group have in common. */
export function memberKey({ groupId, userId }: MemberRow): string {
  return groupId + userId
}

/** Of several documents of one person the one that is a member counts, then the oldest. */
export function firstMember(rows: readonly MemberRow[]): MemberRow | undefined {
  return [...rows].sort((one, other) => {
    const member = Number(other.state === 'member') - Number(one.state === 'member')
    const age = one.createdAt.getTime() - other.createdAt.getTime()
    return member || age || (one.id < other.id ? -1 : 1)
  })[0]
}
