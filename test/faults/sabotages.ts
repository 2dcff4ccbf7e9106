/**
 * What the controls take away from the server: one exact fragment of one file each. With it gone
 * the auditor must complain, or it would prove nothing that it does not complain otherwise.
 */
export interface Sabotage {
  readonly what: string
  readonly file: string
  readonly fragment: string
  readonly replacement: string
}

export type SabotageName = keyof typeof sabotages

export const sabotages = {
  acknowledgeFirst: {
    what: 'messages are acknowledged first, and stored a moment later',
    file: 'src/messages/writer.ts',
    fragment: 'writing ??= write()',
    replacement: 'resolve("stored"); setTimeout(() => (writing ??= write()), 100)',
  },
  deliverFirst: {
    what: 'messages are shown before they are stored',
    file: 'src/messages/writer.ts',
    fragment: 'const rows = await storeMessages(db, messages, mayBeThere)',
    replacement: `await delivery.deliver(messages.map((m, index) => [
        delivery.watermark + 1 + index, m.conversation, m.senderId, m.targetId, m.kind, m.body,
        m.sentAt, '', '', '', '']))
      await pause(50)
      const rows = await storeMessages(db, messages, mayBeThere)`,
  },
  commitLater: {
    what: 'PostgreSQL confirms commits before they are on disk',
    file: 'src/database/connection.ts',
    fragment: '-c synchronous_commit=on -c TimeZone',
    replacement: '-c synchronous_commit=off -c TimeZone',
  },
  forgetIds: {
    what: 'a repetition after a lost connection is stored again',
    file: 'src/messages/writer.ts',
    fragment: 'const messages = batch.map(({ message }) => message)',
    replacement: `const messages = batch.map(({ message, tried }) =>
      tried ? { ...message, id: message.id.slice(0, 18) + String(Math.random()).slice(2, 8) } : message)`,
  },
  deafPool: {
    what: 'nobody listens to errors of idle connections',
    file: 'src/database/connection.ts',
    fragment: "pool.on('error', onError)",
    replacement: '',
  },
  deafClients: {
    what: 'nobody listens to errors of connections in use',
    file: 'src/database/connection.ts',
    fragment: "pool.on('connect', (client) => client.on('error', onError))",
    replacement: '',
  },
  leakClients: {
    what: 'connections on which a change failed are never given back to the pool',
    file: 'src/database/connection.ts',
    fragment: 'client.release(!usable)',
    replacement: 'if (usable) client.release()',
  },
  noReplay: {
    what: 'returning sockets are sent nothing',
    file: 'src/realtime/recovery.ts',
    fragment: 'for (const message of [...missed, ...fresh]) {',
    replacement: 'for (const message of [] as LiveMessage[]) {',
  },
  noRecovery: {
    what: 'returning sockets are taken for new ones',
    file: 'src/realtime/sessions.ts',
    fragment: 'if (session === undefined) return null',
    replacement: 'if (session !== null) return null',
  },
  blindBookmark: {
    what: 'a returning socket is sent all that is new since it logged in',
    file: 'src/realtime/recovery.ts',
    fragment: 'const bookmark = await understood(parseBookmark(offset), startPosition)',
    replacement: 'const bookmark = { position: 0, halfSeen: undefined as number | undefined }',
  },
  keepSession: {
    what: 'logging out leaves the session as it is',
    file: 'src/realtime/speaking.ts',
    fragment: 'rooms.leave(socket)\n      await sessions.end(pidOf(socket))',
    replacement: 'rooms.leave(socket)',
  },
  formerMembers: {
    what: 'returning sockets are let into the rooms of groups they once applied to or belonged to',
    file: 'src/realtime/rooms.ts',
    fragment:
      "left join group_members m on m.user_id = u.id and m.state = 'member'\n  left join groups g on g.id = m.group_id and g.dissolved_at is null",
    replacement: 'left join groups g on true',
  },
  heedlessReturn: {
    what: 'what was typed while away (a logout, another login) does not come before the replay',
    file: 'src/realtime/recovery.ts',
    fragment: 'if (session === undefined || isAbandoned(session.userId, pending)) return',
    replacement: 'if (session === undefined) return',
  },
  silentStrangers: {
    what: 'a socket that speaks for nobody may not send',
    file: 'src/realtime/speaking.ts',
    fragment: 'return begin(socket, userId, false, patience).then((refusal) => {',
    replacement:
      'return Promise.resolve<EventAnswer | undefined>(NOT_LOGGED_IN).then((refusal) => {',
  },
  disconnectAll: {
    what: 'the stop disconnects the sockets, as fastify-socket.io does by itself',
    file: 'src/realtime/realtime.ts',
    fragment: 'preClose: (done) => void stop().finally(done),',
    replacement: 'preClose: (done) => { app.io.local.disconnectSockets(true); done() },',
  },
  dropRequests: {
    what: 'the stop does not wait for requests',
    file: 'src/stopping.ts',
    fragment: 'await pause(ARRIVING)\n    await acceptAll()',
    replacement: 'connections.forEach((one) => one.destroy())',
  },
} as const satisfies Record<string, Sabotage>
