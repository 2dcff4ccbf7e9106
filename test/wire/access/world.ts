import { Client } from '../../contract/client.ts'
import { createGroup } from '../../contract/groups.ts'
import { stringAt } from '../../contract/json.ts'
import { register, type Person } from '../../contract/people.ts'
import { comment, feedOf, publish } from '../../contract/spaces.ts'
import type { Role } from '../../../src/wire/access.ts'

const ACTORS = [
  'owner',
  'member',
  'formerMember',
  'friend',
  'formerFriend',
  'commenter',
  'stranger',
] as const

/** Everybody who tries everything: `owner` owns the group, has the friends and wrote the space. */
export type Actor = (typeof ACTORS)[number]

/** Somebody with a client that sends their token. */
export type Player = Person & { readonly client: Client }

/** Those who act, and those with whom something is done. */
export interface People {
  readonly actors: Readonly<Record<Actor, Player>>
  /** Applies to everything. */
  readonly applicant: Player
  /** Has nothing to do with anybody, but a group of their own. */
  readonly newcomer: Player
  readonly newcomersGroup: string
}

/** The things that requests are about, all the owner's; ids of nothing, where nothing is meant. */
export interface Things {
  readonly owner: string
  readonly group: string
  readonly space: string
  /** The commenter's, under the space. */
  readonly comment: string
  readonly note: string
}

/** Registers everybody, and makes and ends their friendships. */
export async function makePeople(addresses: { http: string; socket: string }): Promise<People> {
  const player = async (nick: string): Promise<Player> => {
    const person = await register(new Client(addresses), nick)
    return { ...person, client: new Client({ ...addresses, token: person.token }) }
  }
  const actors = Object.fromEntries(
    await Promise.all(ACTORS.map(async (actor) => [actor, await player(actor)])),
  ) as Record<Actor, Player>
  const { owner, friend, formerFriend, commenter } = actors
  for (const other of [friend, formerFriend, commenter]) await makeFriends(owner, other)
  const [userId, friendId] = [formerFriend.id, owner.id]
  await formerFriend.client.get('/del/friend', { userId, friendId })
  const newcomer = await player('newcomer')
  const newcomersGroup = await createGroup(newcomer.client, newcomer, '别人的')
  return { actors, applicant: await player('applicant'), newcomer, newcomersGroup }
}

async function makeFriends(one: Player, other: Player): Promise<void> {
  const [a, b] = [one.id, other.id]
  await one.client.post('/friend/add', { userId: a, friendId: b })
  await other.client.post('/friend/agree', { userId: b, friendId: a })
}

/** Makes one of each thing; a group has been left by one member, and one waits to be let in. */
export async function makeThings({ actors, applicant }: People): Promise<Things> {
  const { owner, member, formerMember, commenter } = actors
  const group = await createGroup(owner.client, owner, '群主的')
  const apply = (by: Player) => by.client.post('/group/add', { groupId: group, userId: by.id })
  for (const by of [member, formerMember]) {
    await apply(by)
    await owner.client.post('/group/agree', { groupId: group, userId: by.id })
  }
  await owner.client.get('/del/groupUser', { groupId: group, userId: formerMember.id })
  await apply(applicant)

  const space = await publish(owner.client, owner, '空间')
  await commenter.client.post('/space/comment/add/0', comment(space, commenter))
  const [shown] = await feedOf(owner.client, owner, 1)
  const note = await owner.client.post('/notes/add', { userId: owner.id, text: '便签' })
  return {
    owner: owner.id,
    group,
    space,
    comment: shown?.commentList[0]?._id ?? '',
    note: stringAt(note.body, '_id'),
  }
}

/** Who is what to the owner's things; comments are the commenter's. */
export function actorsIn(role: Role, parameter: string, name: string): readonly Actor[] {
  if (role === 'self')
    return parameter === 'userId' && name.endsWith('/del/groupUser') ? ['member'] : ['owner']
  if (role === 'author') return name.includes('/comment/del') ? ['commenter'] : ['owner']
  const holders = {
    friend: ['friend', 'commenter'],
    member: ['owner', 'member'],
    owner: ['owner'],
    host: ['owner'],
  } as const
  return holders[role]
}
