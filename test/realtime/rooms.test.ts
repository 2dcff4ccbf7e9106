import { pino } from 'pino'
import t from 'tap'
import { insertUser } from '../../src/accounts/queries.ts'
import { openDatabase } from '../../src/database/connection.ts'
import type { Server, Socket } from '../../src/realtime/events.ts'
import { createRooms } from '../../src/realtime/rooms.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const database = await createTestDatabase()
const db = openDatabase(database.url, 2, pino({ level: 'silent' }))
t.teardown(async () => {
  await db.close()
  await database.drop()
})
const [user, friend, stranger] = await Promise.all(
  ['1', '2', '3'].map((last) =>
    insertUser(db, { phone: `1380000000${last}`, passwordHash: 'x', nick: 'n' }),
  ),
)

await t.test(
  'what is loaded on entering is loaded again when rights change meanwhile',
  async (t) => {
    const [userId, friendId, strangerId] = [user?.id ?? '', friend?.id ?? '', stranger?.id ?? '']
    const rooms = createRooms({} as unknown as Server, db)
    const joined: string[][] = []
    const socket = {
      connected: true,
      data: {} as { userId?: string },
      rooms: new Set<string>(),
      join: (names: string[]) => joined.push(names),
    }
    const changes = [
      () => rooms.parted(userId, friendId),
      () => rooms.parted(friendId, userId),
      () => rooms.parted(friendId, strangerId),
    ]
    let loads = 0
    const load = () => Promise.resolve(changes[loads++]?.())
    const entered: unknown[] = []
    const isKnown = await rooms.enter(socket as unknown as Socket, userId, load, () => {
      entered.push(loads, socket.data.userId)
    })
    t.equal(isKnown, true)
    t.same(entered, [3, undefined], 'a change of others is none, and it enters only after that')
    t.same(joined, [[`user:${userId}`]])
  },
)
