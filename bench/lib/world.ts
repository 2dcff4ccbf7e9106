/**
 * A seeded, skewed world: a few people and groups talk most.
 */
/** A world's measures. */
export interface World {
  readonly users: number
  readonly groups: number
  /** Of the largest group; the others are smaller by a power law. */
  readonly largestGroup: number
  readonly friendsEach: number
  readonly messages: number
  /** Of them, in the longest conversation. */
  readonly longest: number
  readonly spaces: number
  readonly seed: number
}

/** The world that belongs to a number of messages; fewer people make it quicker to load. */
export function worldOf(messages: number, most = 1_000_000, least = 50_000): World {
  const users = Math.round(Math.min(most, Math.max(least, messages / 10)))
  return {
    users,
    groups: Math.max(20, Math.round(users / 500)),
    largestGroup: Math.min(10_000, users),
    friendsEach: 2,
    messages,
    longest: Math.min(LONG.messages, Math.floor(messages / 5)),
    spaces: users,
    seed: 1,
  }
}

/** mulberry32: the same numbers for the same seed, everywhere. */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The n-th id of a kind; kinds are told apart by one digit. */
export function idOf(kind: Kind, number: number): string {
  return KINDS[kind] + number.toString(16).padStart(16, '0')
}
const KINDS = {
  user: '65000000',
  friendship: '65000001',
  group: '65000002',
  member: '65000003',
  message: '65000004',
  space: '65000005',
  comment: '65000006',
} as const
type Kind = keyof typeof KINDS

/** The conversation with 200 members, 50 conversations and so on that the paths are measured on. */
export const LONG = { user: 0, friend: 1, messages: 100_000 } as const

/** Somebody with 50 conversations: friends, and groups. */
export const LISTED = { user: 500, friends: 45, groups: 5 } as const

/** A conversation as it will be. */
export interface Planned {
  readonly id: number
  /** A pair of users, the first with the smaller number; undefined for a group. */
  readonly pair?: readonly [number, number]
  readonly group?: number
  readonly members?: readonly number[]
  messages: number
  lastPosition: number
}

/** Pairs on a ring and between random people; groups by a power law; messages by another. */
export function planConversations(world: World, random: () => number): Planned[] {
  const plan: Planned[] = []
  const known = new Set<number>()
  const addPair = (one: number, other: number) => {
    const [low, high] = one < other ? [one, other] : [other, one]
    const key = low * world.users + high
    if (low === high || known.has(key)) return
    known.add(key)
    plan.push({ id: plan.length + 1, pair: [low, high], messages: 0, lastPosition: 0 })
  }
  addPair(LONG.user, LONG.friend)
  for (let n = 1; n <= 100; n += 1) addPair(LONG.user, n)
  for (let n = 1; n <= LISTED.friends; n += 1) addPair(LISTED.user, LISTED.user + n)
  for (let n = 0; n < world.users; n += 1) {
    for (let f = 0; f < world.friendsEach / 2; f += 1) {
      const friend = Math.floor(random() * world.users)
      if (n !== LISTED.user && friend !== LISTED.user) addPair(n, friend)
    }
  }
  for (let group = 0; group < world.groups; group += 1) {
    // Group 0 is the largest, group 1 has 200 members, then sizes fall off to three.
    const size =
      group === 0
        ? world.largestGroup
        : group === 1
          ? 200
          : Math.max(3, Math.floor(world.largestGroup / (group + 1) ** 1.2))
    const first = Math.floor(random() * world.users)
    const members = new Set<number>([LONG.user])
    if (group > 10) members.delete(LONG.user)
    if (group >= 1 && group <= LISTED.groups) members.add(LISTED.user)
    for (let n = 0; members.size < Math.min(size, world.users - 1); n += 1) {
      const member = 1 + ((first + n) % (world.users - 1))
      if (member !== LISTED.user) members.add(member)
    }
    plan.push({ id: plan.length + 1, group, members: [...members], messages: 0, lastPosition: 0 })
  }
  // The longest conversation, the measured ones, then the rest by a power law.
  let left = world.messages
  const give = (to: Planned, messages: number) => {
    const given = Math.min(messages, left)
    to.messages += given
    left -= given
  }
  give(plan[0] as Planned, world.longest)
  for (const conversation of plan) if (conversation.group !== undefined) give(conversation, 40)
  for (const conversation of plan.slice(1, 101 + LISTED.friends)) give(conversation, 25)
  while (left > 0) {
    const index = Math.floor(plan.length * random() ** 4)
    give(plan[index] as Planned, 1 + Math.floor(20 * random()))
  }
  return plan
}
