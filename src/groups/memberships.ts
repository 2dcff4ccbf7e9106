import type { Database, Queryable } from '../database/connection.ts'
import { holdMessages } from '../messages/queries.ts'
import type { Realtime } from '../realtime/realtime.ts'
import { groupRoom, userRoom } from '../realtime/rooms.ts'
import {
  acceptApplication,
  deleteApplication,
  deleteMember,
  dissolveGroup,
  insertApplication,
  insertGroup,
  lockGroup,
  type NewGroup,
} from './transitions.ts'

/** What became of a change; `refused`: there was nothing to decide, or it must not be done. */
export type Outcome = 'done' | 'refused' | 'forbidden'

/**
 * Changes who belongs to groups, in the database and then in the rooms. A `caller`, whose token
 * came with the request, may do only what is theirs to do.
 */
export interface Memberships {
  /** Makes a group, whose only member is its owner. The owner must exist. */
  create(group: NewGroup): Promise<void>
  /** `userId` applies; gives the owner, who decides. Undefined when it was refused. */
  apply(groupId: string, userId: string): Promise<string | undefined>
  agree(groupId: string, userId: string, caller: string | undefined): Promise<Outcome>
  refuse(groupId: string, userId: string, caller: string | undefined): Promise<Outcome>
  /** Ends a membership, but never the owner's. `done`, too, when there is none. */
  remove(groupId: string, userId: string, caller: string | undefined): Promise<Outcome>
  /** Ends a group. `done`, too, when there is none. */
  dissolve(groupId: string, caller: string | undefined): Promise<Outcome>
}

export function createMemberships(db: Database, { rooms, inTurn }: Realtime): Memberships {
  /** Changes who gets messages and then lets the rooms follow, between two messages. */
  function betweenMessages<Result>(
    affected: string,
    work: (tx: Queryable) => Promise<Result>,
    follow: (result: Result) => void,
  ): Promise<Result> {
    return inTurn(async () => {
      let committing = false
      try {
        const result = await db.transaction(async (tx) => {
          const decided = await work(tx)
          committing = true
          return decided
        })
        follow(result)
        return result
      } catch (error) {
        // A commit whose answer was lost may have happened all the same.
        if (committing) rooms.doubted(affected)
        throw error
      }
    })
  }

  return {
    async create(group) {
      const insert = (tx: Queryable) => insertGroup(tx, group)
      await betweenMessages(userRoom(group.ownerId), insert, (groupId) => {
        rooms.joined(group.ownerId, groupId)
      })
    },

    apply: (groupId, userId) =>
      db.transaction(async (tx) => {
        const ownerId = await lockGroup(tx, groupId)
        if (ownerId === undefined) return undefined
        const state = await insertApplication(tx, groupId, userId)
        return state === 'requested' ? ownerId : undefined
      }),

    refuse: (groupId, userId, caller) =>
      db.transaction(async (tx) => {
        const ownerId = await lockGroup(tx, groupId)
        if (ownerId === undefined) return 'refused'
        if (caller !== undefined && caller !== ownerId) return 'forbidden'
        return (await deleteApplication(tx, groupId, userId)) ? 'done' : 'refused'
      }),

    agree(groupId, userId, caller) {
      const accept = async (tx: Queryable): Promise<Outcome> => {
        const ownerId = await lockGroup(tx, groupId)
        if (ownerId === undefined) return 'refused'
        if (caller !== undefined && caller !== ownerId) return 'forbidden'
        await holdMessages(tx)
        return (await acceptApplication(tx, groupId, userId)) ? 'done' : 'refused'
      }
      return betweenMessages(userRoom(userId), accept, (outcome) => {
        if (outcome === 'done') rooms.joined(userId, groupId)
      })
    },

    remove(groupId, userId, caller) {
      const remove = async (tx: Queryable): Promise<Outcome> => {
        const ownerId = await lockGroup(tx, groupId)
        if (ownerId === undefined) return 'done'
        if (caller !== undefined && caller !== ownerId && caller !== userId) return 'forbidden'
        if (userId === ownerId) return 'refused'
        await holdMessages(tx)
        await deleteMember(tx, groupId, userId)
        return 'done'
      }
      return betweenMessages(userRoom(userId), remove, (outcome) => {
        if (outcome === 'done') rooms.left(userId, groupId)
      })
    },

    dissolve(groupId, caller) {
      const dissolve = async (tx: Queryable): Promise<Outcome> => {
        const ownerId = await lockGroup(tx, groupId)
        if (ownerId === undefined) return 'done'
        if (caller !== undefined && caller !== ownerId) return 'forbidden'
        await holdMessages(tx)
        await dissolveGroup(tx, groupId)
        return 'done'
      }
      return betweenMessages(groupRoom(groupId), dissolve, (outcome) => {
        if (outcome === 'done') rooms.dissolved(groupId)
      })
    },
  }
}
