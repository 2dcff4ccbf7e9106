import { z } from 'zod'
import { type Database, persistently } from '../database/connection.ts'
import {
  DONE,
  type EventAnswer,
  type Events,
  event,
  farewell,
  NO_SUCH_TARGET,
  NOT_LOGGED_IN,
  type Socket,
  SPEAKS_FOR_ANOTHER,
} from './events.ts'
import type { Delivery } from '../messages/delivery.ts'
import type { Rooms } from './rooms.ts'
import { pidOf, type Sessions } from './sessions.ts'
import { isId } from '../wire/ids.ts'

/** For whom sockets speak, and who may make them do so (behaviour.md 8 and 9). */
export interface Speaking {
  /**
   * Lets a socket speak for a user, until its session ends; gives the refusal if it may not.
   *
   * @param explicit whether by the event `login`
   * @param patience milliseconds to try again for while the database is away
   */
  begin(
    socket: Socket,
    userId: string,
    explicit: boolean,
    patience: number,
  ): Promise<EventAnswer | undefined>
  /**
   * For an event that names its sender: in open mode a socket that speaks for nobody thereby
   * begins to speak for them. Gives the refusal if it speaks for another.
   */
  as(
    socket: Socket,
    userId: string,
    patience: number,
  ): EventAnswer | undefined | Promise<EventAnswer | undefined>
}

export function createSpeaking(
  db: Database,
  rooms: Rooms,
  sessions: Sessions,
  delivery: Delivery,
  mode: 'open' | 'token',
  greet: (socket: Socket) => void,
): Speaking {
  async function begin(
    socket: Socket,
    userId: string,
    explicit: boolean,
    patience: number,
  ): Promise<EventAnswer | undefined> {
    const { caller } = socket.data
    if (caller === undefined && mode === 'token') return NOT_LOGGED_IN
    if (caller !== undefined && caller !== userId) return SPEAKS_FOR_ANOTHER
    // Saved first: should the server end in between, the client comes back as whom it asked to be.
    const saveAndEnter = async () => {
      const known = await sessions.save(pidOf(socket), userId, explicit, delivery.watermark)
      return known && (await rooms.enter(socket, userId)) ? undefined : NO_SUCH_TARGET
    }
    return persistently(db, saveAndEnter, patience)
  }
  return {
    begin,
    as(socket, userId, patience) {
      const { userId: current } = socket.data
      if (current !== undefined) return current === userId ? undefined : SPEAKS_FOR_ANOTHER
      return begin(socket, userId, false, patience).then((refusal) => {
        // Without an event of ours the client would have no bookmark to come back with.
        if (refusal === undefined) greet(socket)
        return refusal
      })
    },
  }
}

/** Events 1 and 8 of the interface document. */
export function speakingEvents(
  rooms: Rooms,
  sessions: Sessions,
  speaking: Speaking,
  greet: (socket: Socket) => void,
): Events {
  return {
    login: event(
      { as: 'userId' },
      z.tuple([z.string().refine(isId)]),
      async (socket, [userId], patience) => {
        const refusal = await speaking.begin(socket, userId, true, patience)
        if (refusal !== undefined) return refusal
        greet(socket)
        return DONE
      },
    ),
    // The client passes '' here; whatever it passes, the socket speaks for nobody afterwards.
    logout: farewell(z.array(z.unknown()), async (socket) => {
      rooms.leave(socket)
      await sessions.end(pidOf(socket))
      return DONE
    }),
    // socket.io's own: a client that takes its leave is not expected back, one that is cut off is.
    disconnect: farewell(z.tuple([z.string()], z.unknown()), async (socket, [reason]) => {
      if (reason === 'client namespace disconnect') await sessions.end(pidOf(socket))
      return DONE
    }),
  }
}
