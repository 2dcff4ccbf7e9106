import type { Database, Queryable } from '../database/connection.ts'
import { holdMessages } from '../messages/queries.ts'
import type { Realtime } from '../realtime/realtime.ts'
import { groupRoom, userRoom } from '../realtime/rooms.ts'
import { isForbidden } from '../wire/access.ts'
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

/** An outcome without a change, or the version of the group's members that a change has made. */
type Change = Outcome | { readonly membersVersion: number }

export function createMemberships(db: Database, { rooms, turns }: Realtime): Memberships {
  /**
   * Changes who gets messages and then lets the rooms follow, between two messages.
   *
   * @param affected room of the sockets that the change is about
   * @param work calls `hold` right before the change: from then on no message is stored or sent,
   *   so whatever may take its time, such as waiting for a connection or a lock, comes before
   */
  async function betweenMessages(
    affected: string,
    work: (tx: Queryable, hold: () => Promise<void>) => Promise<Change>,
    follow: (membersVersion: number) => void,
  ): Promise<Outcome> {
    let endTurn: (() => void) | undefined
    let committing = false
    try {
      const change = await db.transaction(async (tx) => {
        const decided = await work(tx, async () => {
          endTurn = await turns.take()
          await holdMessages(tx)
        })
        committing = true
        return decided
      })
      if (typeof change === 'string') return change
      follow(change.membersVersion)
      return 'done'
    } catch (error) {
      // A commit whose answer was lost may have happened all the same.
      if (committing) rooms.doubted(affected)
      throw error
    } finally {
      endTurn?.()
    }
  }

  return {
    async create(group) {
      let groupId = ''
      const insert = async (tx: Queryable): Promise<Change> => {
        groupId = await insertGroup(tx, group)
        return { membersVersion: 0 }
      }
      await betweenMessages(userRoom(group.ownerId), insert, (version) => {
        rooms.joined(group.ownerId, groupId, version)
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
        if (isForbidden(caller, ownerId)) return 'forbidden'
        if (ownerId === undefined) return 'refused'
        return (await deleteApplication(tx, groupId, userId)) ? 'done' : 'refused'
      }),

    agree(groupId, userId, caller) {
      const accept = async (tx: Queryable, hold: () => Promise<void>): Promise<Change> => {
        const ownerId = await lockGroup(tx, groupId)
        if (isForbidden(caller, ownerId)) return 'forbidden'
        if (ownerId === undefined) return 'refused'
        await hold()
        const membersVersion = await acceptApplication(tx, groupId, userId)
        return membersVersion === undefined ? 'refused' : { membersVersion }
      }
      return betweenMessages(userRoom(userId), accept, (version) => {
        rooms.joined(userId, groupId, version)
      })
    },

    remove(groupId, userId, caller) {
      const remove = async (tx: Queryable, hold: () => Promise<void>): Promise<Change> => {
        const ownerId = await lockGroup(tx, groupId)
        if (ownerId === undefined) return 'done'
        if (isForbidden(caller, ownerId, userId)) return 'forbidden'
        if (userId === ownerId) return 'refused'
        await hold()
        const membersVersion = await deleteMember(tx, groupId, userId)
        return membersVersion === undefined ? 'done' : { membersVersion }
      }
      return betweenMessages(userRoom(userId), remove, (version) => {
        rooms.left(userId, groupId, version)
      })
    },

    dissolve(groupId, caller) {
      const dissolve = async (tx: Queryable, hold: () => Promise<void>): Promise<Change> => {
        const ownerId = await lockGroup(tx, groupId)
        if (ownerId === undefined) return 'done'
        if (isForbidden(caller, ownerId)) return 'forbidden'
        await hold()
        const membersVersion = await dissolveGroup(tx, groupId)
        return membersVersion === undefined ? 'done' : { membersVersion }
      }
      return betweenMessages(groupRoom(groupId), dissolve, () => rooms.dissolved(groupId))
    },
  }
}
