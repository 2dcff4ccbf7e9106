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

const membersOf = statement<[groupId: string, userId: string]>(
  'rooms_of_groups',
  `select g.id, m.user_id
  from groups g join group_members m on m.group_id = g.id and m.state = 'member'
  where g.id = any($1::text[]) and g.dissolved_at is null`,
)

/** Which sockets are in which rooms: always what the database says of their users. */
export interface Rooms {
  /**
   * Makes a socket speak for a user and for nobody else, in the rooms that are theirs now.
   * False, and nothing changes, when there is no such user.
   */
  enter(socket: Socket, userId: string): Promise<boolean>
  /**
   * The same, with something asked for that depends on the user's rights, as often as they change
   * meanwhile.
   *
   * @param entering called right before, with what was loaded and the user's groups; must not wait
   */
  enter<Loaded>(
    socket: Socket,
    userId: string,
    load: () => Promise<Loaded>,
    entering: (groupIds: ReadonlySet<string>, loaded: Loaded) => void,
  ): Promise<boolean>
  /** Makes a socket speak for nobody. */
  leave(socket: Socket): void
  /**
   * A user has become a member: every device of theirs enters the group's room.
   *
   * @param version of the group's members, which this has made
   */
  joined(userId: string, groupId: string, version: number): void
  /** A user is no longer a member: every device of theirs leaves the group's room. */
  left(userId: string, groupId: string, version: number): void
  /** The group is no more. */
  dissolved(groupId: string): void
  /** Two people are no longer friends: what they may be shown has changed, the rooms have not. */
  parted(userId: string, friendId: string): void
  /**
   * Asks the database for the members of groups that another process has changed: of those whose
   * room here has not this version yet.
   *
   * @param versions of the members by group, as they came with messages
   */
  follow(db: Queryable, versions: ReadonlyMap<string, number>): Promise<void>
  /**
   * What the database says of the sockets in a room may have changed, and it cannot be asked: cuts
   * their connections. Their clients come back at once and get the rooms that are theirs then.
   */
  doubted(room: string): void
}

/** @param io whose sockets these are */
export function createRooms(io: Server, db: Queryable): Rooms {
  /** Questions to the database, whose they are, and whether the answer has changed since. */
  const questions = new Set<{ readonly userId: string | undefined; changed: boolean }>()
  function changed(concerns: (userId: string) => boolean): void {
    for (const question of questions) {
      if (question.userId === undefined || concerns(question.userId)) question.changed = true
    }
  }

  /**
   * Asks until nothing changes meanwhile, and uses the answer at once: a membership that changes
   * after that finds the sockets in their rooms.
   *
   * @param userId whose memberships are asked for; undefined for everybody's
   */
  async function ask<Answer, Result>(
    userId: string | undefined,
    run: () => Promise<Answer>,
    use: (answer: Answer) => Result,
  ): Promise<Result> {
    const question = { userId, changed: false }
    questions.add(question)
    try {
      for (;;) {
        question.changed = false
        const answer = await run()
        if (!question.changed) return use(answer)
      }
    } finally {
      questions.delete(question)
    }
  }

  /** Which version of a group's members its room has; unknown until the first message. */
  const known = new Map<string, number>()
  function follows(groupId: string, version: number): void {
    // Whoever made one in between is another process: the next message leads to the database.
    if ((known.get(groupId) ?? -1) === version - 1) known.set(groupId, version)
  }

  return {
    enter<Loaded>(
      socket: Socket,
      userId: string,
      load?: () => Promise<Loaded>,
      entering?: (groupIds: ReadonlySet<string>, loaded: Loaded) => void,
    ) {
      return ask(
        userId,
        async () => [await db.run(groupsOf, [userId]), await load?.()] as const,
        ([groups, loaded]) => {
          if (groups.length === 0) return false
          this.leave(socket)
          if (!socket.connected) return true
          const groupIds = new Set(groups.flatMap(([groupId]) => groupId ?? []))
          entering?.(groupIds, loaded as Loaded)
          socket.data.userId = userId
          void socket.join([userRoom(userId), ...Array.from(groupIds, groupRoom)])
          return true
        },
      )
    },
    leave(socket) {
      socket.data.userId = undefined
      for (const room of socket.rooms) if (room !== socket.id) void socket.leave(room)
    },
    joined(userId, groupId, version) {
      changed((id) => id === userId)
      follows(groupId, version)
      io.in(userRoom(userId)).socketsJoin(groupRoom(groupId))
    },
    left(userId, groupId, version) {
      changed((id) => id === userId)
      follows(groupId, version)
      io.in(userRoom(userId)).socketsLeave(groupRoom(groupId))
    },
    dissolved(groupId) {
      changed(() => true)
      known.delete(groupId)
      io.in(groupRoom(groupId)).socketsLeave(groupRoom(groupId))
    },
    parted(userId, friendId) {
      changed((id) => id === userId || id === friendId)
    },
    async follow(db, versions) {
      const news = [...versions].filter(([id, version]) => version > (known.get(id) ?? -1))
      if (news.length === 0) return
      const groupIds = news.map(([groupId]) => groupId)
      await ask(
        undefined,
        () => db.run(membersOf, [groupIds]),
        (rows) => {
          changed(() => true)
          for (const [groupId, version] of news) known.set(groupId, version)
          const members = new Map(groupIds.map((groupId) => [groupId, new Set<string>()]))
          for (const [groupId, userId] of rows) members.get(groupId)?.add(userId)
          for (const socket of io.of('/').sockets.values()) {
            const { userId = '' } = socket.data
            for (const [groupId, userIds] of members) {
              const room = groupRoom(groupId)
              if (userIds.has(userId)) void socket.join(room)
              else if (socket.rooms.has(room)) void socket.leave(room)
            }
          }
        },
      )
    },
    doubted(room) {
      changed(() => true)
      const { adapter, sockets } = io.of('/')
      for (const id of [...(adapter.rooms.get(room) ?? [])]) sockets.get(id)?.conn.close()
    },
  }
}
