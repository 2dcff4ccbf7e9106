import t from 'tap'
import pg from 'pg'
import { pino } from 'pino'
import { insertUser } from '../../src/accounts/queries.ts'
import { openDatabase } from '../../src/database/connection.ts'
import { agreeToFriendship, applyForFriendship } from '../../src/friends/queries.ts'
import { acceptApplication, insertApplication, insertGroup } from '../../src/groups/transitions.ts'
import { markRead, type NewMessage, storeMessages } from '../../src/messages/queries.ts'
import { insertComment, insertReply } from '../../src/spaces/comments.ts'
import { insertSpace } from '../../src/spaces/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { createTestDatabase, healthProblems } from '../helpers/databases.ts'

const database = await createTestDatabase()
const db = openDatabase(database.url, 2, pino({ level: 'silent' }))
const client = new pg.Client({ connectionString: database.url })
await client.connect()
t.teardown(async () => {
  await client.end()
  await db.close()
  await database.drop()
})

const user = (phone: string, nick: string) => insertUser(db, { phone, passwordHash: '-', nick })
const { id: one } = await user('13000000001', '小明')
const { id: two } = await user('13000000002', '小红')
await applyForFriendship(db, one, two)
await agreeToFriendship(db, two, one)
const groupId = await db.transaction((tx) =>
  insertGroup(tx, { ownerId: one, name: '群', sign: '群', avatarUrl: '/group_pic.png' }),
)
await insertApplication(db, groupId, two)
await acceptApplication(db, groupId, two)

async function say(conversation: NewMessage['conversation'], senderId: string, targetId: string) {
  const rest = { kind: 'text', body: 'x', sentAt: new Date() } as const
  await storeMessages(db, [{ id: newId(), conversation, senderId, targetId, ...rest }], false)
}
for (const [from, to] of [
  [one, two],
  [two, one],
  [one, two],
] as const) {
  await say('private', from, to)
  await say('group', from, groupId)
}
await markRead(db, 'private', two, one)
await insertSpace(db, { authorId: one, body: '你好', photos: [] })

/** The one value of a query. */
async function value(query: string): Promise<string> {
  const { rows } = await client.query({ text: query, rowMode: 'array' })
  return String((rows as unknown[][])[0]?.[0])
}
const spaceId = await value('select id from spaces')
await insertComment(db, { spaceId, authorId: two, body: '好' })
const commentId = await value('select id from comments')
const reply = { spaceId, authorId: one, body: '嗯', parentId: commentId, recipientId: two }
await insertReply(db, reply)
const replyId = await value('select id from comments where parent_id is not null')
const pairId = await value(`select id from conversations where kind = 'private'`)
const friendshipId = await value(`select id from friendships where user_id = '${one}'`)
const otherFriendshipId = await value(`select id from friendships where user_id = '${two}'`)
const ownerRowId = await value(`select id from group_members where user_id = '${one}'`)
const memberRowId = await value(`select id from group_members where user_id = '${two}'`)
const secondInPair = `conversation_id = ${pairId} and seq = 2`
const messageId = await value(`select id from messages where ${secondInPair}`)
const unknown = '0'.repeat(23) + '1'

/** A way to break each rule, and the row that tells: check, table, key and words of the problem. */
const breaches: [sql: string, check: string, table: string, key: string, problem: RegExp][] = [
  [
    `update conversations set last_seq = 4 where id = ${pairId}`,
    'last_seq',
    'conversations',
    pairId,
    /^last_seq is 4, and its newest message has 3$/,
  ],
  [
    // Nobody counts any more, as after the end of a friendship.
    `delete from friendships; delete from messages where ${secondInPair}`,
    'seq_without_holes',
    'conversations',
    pairId,
    /^its 2 messages are numbered up to 3$/,
  ],
  [
    `update conversations set last_position = 99 where id = ${pairId}`,
    'last_position',
    'conversations',
    pairId,
    /^last_position is 99, and its newest message is at 5$/,
  ],
  [
    `update messages set position = 0 where ${secondInPair}`,
    'position_order',
    'messages',
    messageId,
    /^seq 2 of conversation \d+ is at position 0, and the one before it at 1$/,
  ],
  [
    `insert into users (id, phone, password_hash, nick) select '${unknown}', '13000000003', '-', '三';
    delete from friendships; update messages set sender_id = '${unknown}' where ${secondInPair};
    insert into user_nick_suffixes select '${unknown}', '三'`,
    'message_sender',
    'messages',
    messageId,
    /is neither of the two people of conversation/,
  ],
  [
    `update friendships set sent_total = 3 where id = '${friendshipId}'`,
    'sent_total',
    'friendships',
    friendshipId,
    /^sent_total is 3, and 2 messages were sent$/,
  ],
  [
    `update group_members set sent_total = 3 where id = '${ownerRowId}'`,
    'sent_total',
    'group_members',
    ownerRowId,
    /^sent_total is 3, and 2 messages were sent$/,
  ],
  [
    `update friendships set sent_when_read = 0 where id = '${otherFriendshipId}'`,
    'sent_when_read',
    'friendships',
    otherFriendshipId,
    /^sent_when_read is 0, and 1 messages were sent up to read_seq$/,
  ],
  [
    `update group_members set sent_when_read = 1 where id = '${memberRowId}'`,
    'sent_when_read',
    'group_members',
    memberRowId,
    /^sent_when_read is 1, and 0 messages/,
  ],
  [
    `update friendships set read_seq = 4 where id = '${otherFriendshipId}'`,
    'read_position',
    'friendships',
    otherFriendshipId,
    /^read_seq is 4, outside of 0 to 3$/,
  ],
  [
    `update group_members set read_seq = -1 where id = '${memberRowId}'`,
    'read_position',
    'group_members',
    memberRowId,
    /^read_seq is -1, outside of 0 to 3$/,
  ],
  [
    `delete from friendships where id = '${otherFriendshipId}'`,
    'friendship_pair',
    'friendships',
    friendshipId,
    /has no row for .* in the state accepted$/,
  ],
  [
    `update friendships set state = 'requested', sent_total = 0 where id = '${friendshipId}';
    delete from friendships where id = '${otherFriendshipId}'`,
    'friendship_pair',
    'friendships',
    friendshipId,
    /in the state received$/,
  ],
  [
    `insert into conversations (kind, low_user_id, high_user_id)
    values ('private', '${unknown}', '${one}');
    insert into users (id, phone, password_hash, nick) select '${unknown}', '13000000003', '-', '三';
    insert into user_nick_suffixes select '${unknown}', '三';
    update friendships set conversation_id = currval('conversations_id_seq'),
      read_seq = 0, sent_total = 0, sent_when_read = 0 where id = '${friendshipId}'`,
    'friendship_conversation',
    'friendships',
    friendshipId,
    /^conversation \d+ is not that of the two$/,
  ],
  [
    `delete from group_members where id = '${ownerRowId}'`,
    'group_owner',
    'groups',
    groupId,
    /^its owner \w+ is not a member$/,
  ],
  [
    `delete from messages where conversation_id <> ${pairId};
    delete from conversations where id <> ${pairId}`,
    'group_conversation',
    'groups',
    groupId,
    /^it has no conversation$/,
  ],
  [
    `update groups set dissolved_at = now(); delete from group_name_suffixes;
    delete from group_members where id = '${ownerRowId}'`,
    'dissolved_group',
    'group_members',
    memberRowId,
    /^group \w+ is dissolved$/,
  ],
  [
    `update users set nick = '小亮' where id = '${one}'`,
    'nick_suffixes',
    'users',
    one,
    /^its suffixes are not those of its nick$/,
  ],
  [
    `delete from group_name_suffixes`,
    'group_name_suffixes',
    'groups',
    groupId,
    /^its suffixes are not those of its name$/,
  ],
  [
    `insert into comments (id, space_id, parent_id, author_id, recipient_id, body)
    values ('${unknown}', '${spaceId}', '${replyId}', '${one}', '${two}', '')`,
    'comment_reply',
    'comments',
    unknown,
    /which is a reply itself$/,
  ],
  [
    `insert into files (stored_name, original_name, kind, media_type, size_bytes, sha256)
    values ('../x', 'x', 'chat_file', 'text/plain', 1, repeat('0', 64))`,
    'file_name',
    'files',
    '../x',
    /^no file of this name can be served$/,
  ],
  [
    `alter sequence message_positions restart 6`,
    'sequence',
    'messages',
    'message_positions',
    /^the sequence is at 6, and positions go up to 6$/,
  ],
  [
    `alter sequence conversations_id_seq restart 1`,
    'sequence',
    'conversations',
    'conversations_id_seq',
    /^the sequence is at 1, and ids go up to \d$/,
  ],
  [
    `update comments set author_id = '${unknown}' where id = '${replyId}'`,
    'reference',
    'comments',
    replyId,
    /^author_id 0{23}1 is in no row of users$/,
  ],
  [
    // Of another space: the key of two columns leads nowhere, though the comment is there.
    `insert into spaces (id, author_id, body) values ('${unknown}', '${one}', 'x');
    update comments set space_id = '${unknown}' where id = '${replyId}'`,
    'reference',
    'comments',
    replyId,
    /^space_id 0{23}1, parent_id \w+ is in no row of comments$/,
  ],
  [
    `insert into user_nick_suffixes values ('${unknown}', 'x')`,
    'reference',
    'user_nick_suffixes',
    `user_id ${unknown}`,
    /is in no row of users$/,
  ],
  [
    `alter table notes disable trigger all; alter table users disable trigger users_keep_nick_suffixes;
    alter table notes enable trigger all`,
    'schema',
    'users',
    'users_keep_nick_suffixes',
    /^the trigger is disabled$/,
  ],
  [
    `alter table notes add constraint notes_short_check check (length(body) < 10) not valid`,
    'schema',
    'notes',
    'notes_short_check',
    /^the constraint is not validated$/,
  ],
  [
    `update pg_index set indisvalid = false where indexrelid = 'notes_newest_idx'::regclass`,
    'schema',
    'notes',
    'notes_newest_idx',
    /^the index is not valid$/,
  ],
]

await t.test('a sound database has no problems', async (t) => {
  t.same(await healthProblems(database.url), [])
})

await t.test('each breach is told by one row', async (t) => {
  for (const [sql, check, table, key, problem] of breaches) {
    await client.query('begin')
    // No foreign keys, no triggers, as in a load that went wrong.
    await client.query("set local session_replication_role = 'replica'")
    await client.query(sql)
    const { rows } = await client.query<{ problem: string }>('select * from health_problems')
    t.match(rows, [{ check_name: check, table_name: table, row_key: key, problem }], check)
    t.equal(rows.length, 1, `${check} alone: ${JSON.stringify(rows)}`)
    await client.query('rollback')
  }
})

await t.test('each check is among them', async (t) => {
  const definition = await value(`select pg_get_viewdef('health_problems')`)
  const checks = [...definition.matchAll(/SELECT '(\w+)'(?:::text)? AS check_name/g)]
  const names = new Set(checks.map(([, name]) => name))
  t.same(names, new Set(breaches.map(([, check]) => check)))
  t.ok(names.size > 15)
})
