import { makeFriends, makeGroup, makePeople } from './world.ts'

/** People who have each a friend, and a group with their neighbours. */
export interface Circles {
  readonly people: readonly string[]
  /** A friend or a group of somebody, by chance. */
  target(owner: string, random: () => number): readonly ['private' | 'group', string]
}

/** @param count an even number of people */
export async function makeCircles(
  databaseUrl: string,
  count: number,
  groupSize = 5,
): Promise<Circles> {
  const people = await makePeople(databaseUrl, count)
  const friendOf = new Map(people.map((id, index) => [id, people[index ^ 1] ?? '']))
  const pairs = people.flatMap((id, index) =>
    index % 2 === 0 ? [[id, friendOf.get(id) ?? ''] as const] : [],
  )
  await makeFriends(databaseUrl, pairs)
  const groupOf = new Map<string, string>()
  for (let start = 0; start < count; start += groupSize) {
    const members = people.slice(start, start + groupSize)
    const groupId = await makeGroup(databaseUrl, members)
    for (const id of members) groupOf.set(id, groupId)
  }
  return {
    people,
    target: (owner, random) =>
      random() < 0.5 ? ['private', friendOf.get(owner) ?? ''] : ['group', groupOf.get(owner) ?? ''],
  }
}
