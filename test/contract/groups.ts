import type { Client } from './client.ts'
import { at, stringAt } from './json.ts'
import type { Person } from './people.ts'

/** Makes a group and gives its id. */
export async function createGroup(client: Client, owner: Person, groupName: string, sign = 'sign') {
  await client.post('/create/group', { userId: owner.id, groupName, sign })
  const { body } = await client.get('/contacts/group', { userId: owner.id })
  if (at(body, 'data', -1, 'groupId', 'groupName') !== groupName) {
    throw new Error(`the newest group is not ${groupName}: ${JSON.stringify(body)}`)
  }
  return stringAt(body, 'data', -1, 'groupId', '_id')
}

/** Makes people members of a group, one after the other. */
export async function joinGroup(client: Client, groupId: string, ...people: Person[]) {
  for (const { id: userId } of people) {
    await client.post('/group/add', { groupId, userId })
    const { body } = await client.post('/group/agree', { groupId, userId })
    if (at(body, 'status') !== 200) throw new Error(`not agreed: ${JSON.stringify(body)}`)
  }
}
