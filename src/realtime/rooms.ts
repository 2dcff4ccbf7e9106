import { type Queryable, statement } from '../database/connection.ts'
import type { Server, Socket } from './events.ts'

/** Room of all devices of a user. */
export function userRoom(userId: string): string {
  return `user:${userId}`
}

/** Room of all devices of all members of a group. */
export function groupRoom(groupId: string): string {
  return `group:${groupId}`
}

const groupsOf = statement<[groupId: string | null]>(
  'rooms_of_user',
  `select g.id from users u
  left join group_members m on m.user_id = u.id and m.state = 'member'
  left join groups g on g.id = m.group_id and g.dissolved_at is null
  where u.id = $1`,
)

const membersOf = statement<[groupId: string, userId: string | null]>(
  'rooms_of_groups',
  `select g.id, m.user_id
  from unnest($1::text[]) as g (id)
  left join groups on groups.id = g.id and groups.dissolved_at is null
  left join group_members m on m.group_id = groups.id and m.state = 'member'`,
)

/** Which sockets are in which rooms: always what the database says of their users. */
export interface Rooms {
  /**
   * Makes a socket speak for a user and for nobody else, in the rooms that are theirs now.
   * `entering` is called right before, with the groups that are theirs, and must not wait.
   * False, and nothing changes, when there is no such user.
   */
  enter(
    socket: Socket,
    userId: string,
    entering?: (groupIds: ReadonlySet<string>) => void,
  ): Promise<boolean>
  /** Makes a socket speak for nobody. */
  leave(socket: Socket): void
  /** A user has become a member: every device of theirs enters the group's room. */
  joined(userId: string, groupId: string): void
  /** A user is no longer a member: every device of theirs leaves the group's room. */
  left(userId: string, groupId: string): void
  /** The group is no more. */
  dissolved(groupId: string): void
  /** Asks the database for the members of groups that another process may have changed. */
  refresh(groupIds: readonly string[]): Promise<void>
}

/** @param io whose sockets these are */
export function createRooms(io: Server, db: Queryable): Rooms {
  /** Users who are entering, and whether their groups changed since they were asked for. */
  const entering = new Set<{ readonly userId: string; changed: boolean }>()
  const changed = (concerns: (userId: string) => boolean) => {
    for (const entry of entering) if (concerns(entry.userId)) entry.changed = true
  }

  return {
    async enter(socket, userId, beforeEntering) {
      const entry = { userId, changed: false }
      entering.add(entry)
      try {
        let groups
        do {
          entry.changed = false
          groups = await db.run(groupsOf, [userId])
        } while (entry.changed)
        if (groups.length === 0) return false
        // No await from here on: a membership that changes now finds the socket in its rooms.
        this.leave(socket)
        if (!socket.connected) return true
        const groupIds = new Set(groups.flatMap(([groupId]) => groupId ?? []))
        beforeEntering?.(groupIds)
        socket.data.userId = userId
        void socket.join([userRoom(userId), ...Array.from(groupIds, groupRoom)])
        return true
      } finally {
        entering.delete(entry)
      }
    },
    leave(socket) {
      socket.data.userId = undefined
      for (const room of socket.rooms) if (room !== socket.id) void socket.leave(room)
    },
    joined(userId, groupId) {
      changed((id) => id === userId)
      io.in(userRoom(userId)).socketsJoin(groupRoom(groupId))
    },
    left(userId, groupId) {
      changed((id) => id === userId)
      io.in(userRoom(userId)).socketsLeave(groupRoom(groupId))
    },
    dissolved(groupId) {
      changed(() => true)
      io.in(groupRoom(groupId)).socketsLeave(groupRoom(groupId))
    },
    async refresh(groupIds) {
      if (groupIds.length === 0) return
      const members = new Map(groupIds.map((groupId) => [groupId, new Set<string>()]))
      for (const [groupId, userId] of await db.run(membersOf, [groupIds])) {
        if (userId !== null) members.get(groupId)?.add(userId)
      }
      changed(() => true)
      for (const socket of io.of('/').sockets.values()) {
        const { userId } = socket.data
        for (const [groupId, userIds] of members) {
          const room = groupRoom(groupId)
          if (userId !== undefined && userIds.has(userId)) void socket.join(room)
          else if (socket.rooms.has(room)) void socket.leave(room)
        }
      }
    },
  }
}
