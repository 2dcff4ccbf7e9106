import { statement } from '../../database/connection.ts'
import type { Message } from '../../database/schema.ts'
import { gateImported } from '../../messages/gate/gate.ts'
import { kindOf, msgType } from '../../messages/kinds.ts'
import type { WireTimes } from '../../wire/times.ts'
import { comparableText, type Document, type Json, objectId, whole } from '../extended-json.ts'
import type { Reader } from '../reader.ts'
import { Rejection } from '../rules.ts'
import type { Translation } from '../translation.ts'

export interface MessageRow extends Pick<Message, 'id' | 'senderId' | 'kind' | 'body' | 'sentAt'> {
  /** The friend or the group that it is for. */
  readonly targetId: string
  /** Whether its receiver has read it; null in groups, where that is not said of a message. */
  readonly read: boolean | null
  /** Its place among all messages; 0 where nothing but its time says that. */
  readonly position: number
}

type Found = [
  id: string,
  senderId: string,
  targetId: string,
  kind: Message['kind'],
  body: string,
  sentAt: Date,
  read: boolean | null,
  position: number,
]

// Without a friendship nothing says that a message was read, except the original.
const foundPrivate = statement<Found>(
  'import_find_private_messages',
  `select m.id, m.sender_id, t.id, m.kind, m.body, m.sent_at,
    coalesce(d.read, false)
    or array_position(d.mended, 'late-message-read') is null
      and coalesce(m.seq <= f.read_seq, d.read is null),
    m.position
  from messages m
  join conversations c on c.id = m.conversation_id and c.kind = 'private'
  cross join lateral (
    select case m.sender_id when c.low_user_id then c.high_user_id else c.low_user_id end as id
  ) t
  left join friendships f
    on f.user_id = t.id and f.friend_id = m.sender_id and f.conversation_id = c.id
  left join imported_documents d on d.collection = 'private_chats' and d.id = m.id
  where m.id = any ($1::text[])`,
)
const foundInGroups = statement<Found>(
  'import_find_group_messages',
  `select m.id, m.sender_id, c.group_id, m.kind, m.body, m.sent_at, null, m.position
  from messages m
  join conversations c on c.id = m.conversation_id and c.kind = 'group'
  where m.id = any ($1::text[])`,
)

const unused = () => Promise.reject(new Error('messages are appended, never stored singly'))

/** What two people said. */
export const privateMessages: Translation<MessageRow> = {
  collection: 'private_chats',
  details: ['sentAt'],
  places: ['position'],
  page: statement(
    'import_page_private_messages',
    `select m.id, octet_length(m.body) from messages m join conversations c on c.id = m.conversation_id
    where m.id > $1 and c.kind = 'private' order by m.id limit $2`,
  ),
  read(reader) {
    const row = { ...readMessage(reader), targetId: reader.reference('friendId') }
    if (row.senderId === row.targetId) throw new Rejection('message-to-oneself', row.senderId)
    const state = reader.number('state')
    if (state !== 0 && state !== 1) reader.mended.add('read-assumed')
    return { ...row, read: state !== 0 }
  },
  render: (row, times) => ({
    _id: objectId(row.id),
    userId: objectId(row.senderId),
    friendId: objectId(row.targetId),
    ...renderMessage(row, times),
    state: whole(row.read === true ? 1 : 0),
    __v: whole(0),
  }),
  store: unused,
  find: async (db, ids) => (await db.run(foundPrivate, [ids])).map(toRow),
}

/** What was said in groups. */
export const groupMessages: Translation<MessageRow> = {
  collection: 'group_chats',
  details: ['sentAt'],
  places: ['position'],
  page: statement(
    'import_page_group_messages',
    `select m.id, octet_length(m.body) from messages m join conversations c on c.id = m.conversation_id
    where m.id > $1 and c.kind = 'group' order by m.id limit $2`,
  ),
  read: (reader) => ({
    ...readMessage(reader),
    targetId: reader.reference('groupId'),
    read: null,
  }),
  render: (row, times) => ({
    _id: objectId(row.id),
    groupId: objectId(row.targetId),
    userId: objectId(row.senderId),
    ...renderMessage(row, times),
    __v: whole(0),
  }),
  store: unused,
  find: async (db, ids) => (await db.run(foundInGroups, [ids])).map(toRow),
}

function toRow([id, senderId, targetId, kind, body, sentAt, read, position]: Found): MessageRow {
  return { id, senderId, targetId, kind, body, sentAt, read, position }
}

function readMessage(reader: Reader): Omit<MessageRow, 'targetId' | 'read'> {
  const kind = kindOf(reader.number('msgType') ?? -1)
  if (kind === undefined) reader.mended.add('type-unknown')
  const body = readBody(reader)
  const gated = gateImported(kind ?? 'text', body)
  if (gated.body !== body || gated.kind !== (kind ?? 'text')) reader.mended.add('message-defused')
  return {
    id: reader.id,
    senderId: reader.reference('userId'),
    ...gated,
    sentAt: reader.detailedTime('sentAt') ?? reader.time('time'),
    position: reader.detailedNumber('position') ?? 0,
  }
}

function readBody(reader: Reader): string {
  const value: Json | undefined = reader.value('message')
  if (Array.isArray(value) && value.every((line) => typeof line === 'string')) {
    reader.mended.add('message-joined')
    return reader.storable(value.join('\n'))
  }
  const body = reader.text('message')
  if (body === undefined) reader.mended.add('message-empty')
  return body ?? ''
}

function renderMessage(row: MessageRow, times: WireTimes): Document {
  return {
    message: row.body,
    msgType: whole(msgType(row.kind)),
    time: times.long(row.sentAt),
  }
}

/** Whether two documents differ in nothing but whether the message was read. */
export function differOnlyInState(one: Document, other: Document): boolean {
  return comparableText({ ...one, state: null }) === comparableText({ ...other, state: null })
}
