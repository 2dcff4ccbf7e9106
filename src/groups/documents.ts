import { personDocument, sexWord } from '../accounts/documents.ts'
import type { GroupMember } from '../database/schema.ts'
import type { WireTimes } from '../wire/times.ts'
import type {
  ApplicationRow,
  GroupHomeRow,
  MemberCounts,
  MemberRow,
  MembershipRow,
} from './queries.ts'

const STATES = { requested: 0, member: 1 } as const
const NOT_A_MEMBER = 2

/** `state` of endpoint 16: how one stands to a group. */
function stateNumber(state: GroupMember['state'] | null): 0 | 1 | 2 {
  return state === null ? NOT_A_MEMBER : STATES[state]
}

/** How a group appears inside other documents. */
function groupDocument(id: string, groupName: string, imgUrl: string) {
  return { _id: id, groupName, imgUrl }
}

/** A member's row; the owner's, which was made with the group, has no `time` (behaviour.md 5). */
function memberRowDocument<Groups, Person>(
  id: string,
  groupId: Groups,
  userId: Person,
  createdAt: Date,
  isOwner: boolean,
  times: WireTimes,
) {
  const time = isOwner ? {} : { time: times.iso(createdAt) }
  return { _id: id, groupId, userId, ...time, state: STATES.member, __v: 0 }
}

/** One member in endpoints 17 and 21. */
export function memberDocument(groupId: string, row: MemberRow, times: WireTimes) {
  const [id, userId, nick, avatarUrl, , , createdAt, isOwner] = row
  const person = personDocument(userId, nick, avatarUrl)
  return memberRowDocument(id, groupId, person, createdAt, isOwner, times)
}

/** One member in endpoint 16, which shows more of the person. */
function homeMemberDocument(groupId: string, row: MemberRow, times: WireTimes) {
  const [id, userId, nick, avatarUrl, sex, birthday, createdAt, isOwner] = row
  const person = {
    ...personDocument(userId, nick, avatarUrl),
    sex: sexWord(sex),
    birthday: birthday ?? '',
  }
  return memberRowDocument(id, groupId, person, createdAt, isOwner, times)
}

/** Endpoint 16. */
export function groupHomeDocument(
  home: GroupHomeRow,
  members: readonly MemberRow[],
  [male, female, bornFrom2000]: MemberCounts,
  times: WireTimes,
) {
  const [id, ownerId, name, number, sign, avatarUrl, createdAt, state] = home
  return {
    status: 200,
    data: {
      group: {
        _id: id,
        userId: ownerId,
        groupName: name,
        groupNumber: number,
        sign,
        imgUrl: avatarUrl,
        creatTime: times.day(createdAt),
        __v: 0,
      },
      groupUser: members.map((row) => homeMemberDocument(id, row, times)),
      statis: { maleNum: male, femaleNum: female, is00sBornNum: bornFrom2000 },
    },
    state: stateNumber(state),
  }
}

/** One entry of endpoint 20. */
export function membershipDocument(userId: string, row: MembershipRow, times: WireTimes) {
  const [id, groupId, name, avatarUrl, createdAt, isOwner] = row
  const group = groupDocument(groupId, name, avatarUrl)
  return memberRowDocument(id, group, userId, createdAt, isOwner, times)
}

/** One entry of endpoint 25. */
export function applicationDocument(row: ApplicationRow, times: WireTimes) {
  const [id, groupId, name, avatarUrl, userId, nick, userAvatarUrl, createdAt] = row
  return {
    _id: id,
    groupId: groupDocument(groupId, name, avatarUrl),
    userId: personDocument(userId, nick, userAvatarUrl),
    time: times.iso(createdAt),
    __v: 0,
  }
}
