import { z } from 'zod'
import {
  DONE,
  type EventAnswer,
  type Events,
  event,
  NO_SUCH_TARGET,
  NOT_LOGGED_IN,
  type Socket,
  SPEAKS_FOR_ANOTHER,
} from './events.ts'
import type { Rooms } from './rooms.ts'
import { isId } from '../wire/ids.ts'

/** For whom sockets speak, and who may make them do so (behaviour.md 8 and 9). */
export interface Speaking {
  /** Lets a socket speak for a user; gives the refusal if it may not. */
  begin(socket: Socket, userId: string): Promise<EventAnswer | undefined>
  /**
   * For an event that names its sender: in open mode a socket that speaks for nobody thereby
   * begins to speak for them. Gives the refusal if it speaks for another.
   */
  as(socket: Socket, userId: string): EventAnswer | undefined | Promise<EventAnswer | undefined>
}

export function createSpeaking(rooms: Rooms, mode: 'open' | 'token'): Speaking {
  async function begin(socket: Socket, userId: string): Promise<EventAnswer | undefined> {
    const { caller } = socket.data
    if (caller === undefined && mode === 'token') return NOT_LOGGED_IN
    if (caller !== undefined && caller !== userId) return SPEAKS_FOR_ANOTHER
    return (await rooms.enter(socket, userId)) ? undefined : NO_SUCH_TARGET
  }
  return {
    begin,
    as(socket, userId) {
      const { userId: current } = socket.data
      if (current === undefined) return begin(socket, userId)
      return current === userId ? undefined : SPEAKS_FOR_ANOTHER
    },
  }
}

/** Events 1 and 8 of the interface document. */
export function speakingEvents(rooms: Rooms, speaking: Speaking): Events {
  return {
    login: event(z.tuple([z.string().refine(isId)]), async (socket, [userId]) => {
      const refusal = await speaking.begin(socket, userId)
      if (refusal !== undefined) return refusal
      socket.emit('login', socket.id)
      return DONE
    }),
    // The client passes '' here; whatever it passes, the socket speaks for nobody afterwards.
    logout: event(z.array(z.unknown()), (socket) => {
      rooms.leave(socket)
      return DONE
    }),
  }
}
