import t from 'tap'
import { pino } from 'pino'
import { openDatabase, statement } from '../../src/database/connection.ts'
import { countMembers, listMembers } from '../../src/groups/queries.ts'
import { storeMessages } from '../../src/messages/queries.ts'
import { newId } from '../../src/wire/ids.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'
import { assertUnreadCounts } from '../helpers/unread.ts'

const database = await createTestDatabase()
const db = openDatabase(database.url, 2, pino({ level: 'silent' }))
t.teardown(async () => {
  await db.close()
  await database.drop()
})

// Ids that tell what they are: users 'a…', groups 'b…', member rows 'c…'.
await execute(
  database.url,
  `insert into users (id, phone, password_hash, nick, sex, birthday)
  select 'a' || lpad(to_hex(i), 23, '0'), (13000000000 + i)::text, '-', 'x',
    (array['male', 'female', 'unknown']::user_sex[])[i % 3 + 1],
    case when i % 4 > 0 then date '1990-01-01' + i end
  from generate_series(1, 10000) i;
  insert into groups (id, owner_id, name, number, sign)
  select 'b' || lpad(to_hex(size), 23, '0'), 'a' || lpad('1', 23, '0'), 'x', 1700000000000 + size, 'x'
  from unnest(array[3, 10000]) size;
  insert into conversations (kind, group_id) select 'group', id from groups;
  insert into group_members (id, group_id, user_id, state, joined_at)
  select 'c' || lpad(to_hex(size), 11, '0') || lpad(to_hex(i), 12, '0'),
    'b' || lpad(to_hex(size), 23, '0'), 'a' || lpad(to_hex(i), 23, '0'), 'member', now()
  from unnest(array[3, 10000]) size, generate_series(1, size) i;
  analyze`,
)

type Work = [table: string, read: number, added: number, changed: number, removed: number]
const work = statement<Work>(
  'work_of_this_session',
  `select relname::text, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0),
    n_tup_ins, n_tup_upd, n_tup_del
  from pg_stat_xact_user_tables order by relname`,
)

await t.test('a message costs the same for 3 members and for 10,000', async (t) => {
  /** The rows that sending a message reads and writes, by table. */
  const sendTo = (size: number) =>
    db.transaction(async (tx) => {
      const before = await tx.run(work)
      const stored = await storeMessages(
        tx,
        [
          {
            id: newId(),
            conversation: 'group',
            senderId: `a${'2'.padStart(23, '0')}`,
            targetId: `b${size.toString(16).padStart(23, '0')}`,
            kind: 'text',
            body: 'x',
            sentAt: new Date(),
          },
        ],
        false,
      )
      t.equal(stored.length, 1)
      const after = await tx.run(work)
      return after
        .map(([table, ...counts], row) => ({
          table,
          counts: counts.map((count, index) => count - Number(before[row]?.[index + 1])),
        }))
        .filter(({ counts }) => counts.some((count) => count > 0))
    })
  for (const size of [3, 10_000]) {
    // The first one is planned, too.
    await sendTo(size)
    const worked = await sendTo(size)
    t.same(
      worked.map(({ table, counts: [, ...written] }) => [table, ...written]),
      [
        ['conversations', 0, 1, 0],
        ['group_members', 0, 1, 0],
        ['groups', 0, 0, 0],
        ['messages', 1, 0, 0],
        ['users', 0, 0, 0],
      ],
      `rows written for ${size} members`,
    )
    t.ok(
      worked.every(({ counts: [read = 0] }) => read < 10),
      `rows read for ${size} members: ${JSON.stringify(worked)}`,
    )
  }
  await assertUnreadCounts(database.url)
  const unread = 'select unread, count(*) from unread_proof group by unread order by unread'
  t.same((await execute(database.url, unread)).rows, [
    { unread: '0', count: '2' },
    { unread: '2', count: '10001' },
  ])
})

await t.test('members are counted alike in a list and in the database', async (t) => {
  const groupOf = (size: number) => `b${size.toString(16).padStart(23, '0')}`
  const small = await listMembers(db, groupOf(3))
  const large = await listMembers(db, groupOf(10_000))
  t.same(await countMembers(db, groupOf(3), small), [1, 1, 0])
  // This list may have been cut short, so that the database counts; one less, and the list does.
  const counted = await countMembers(db, groupOf(10_000), large)
  const [last] = large.slice(-1)
  const [male, female, bornFrom2000] = await countMembers(db, groupOf(10_000), large.slice(0, -1))
  t.same(counted, [
    male + Number(last?.[4] === 'male'),
    female + Number(last?.[4] === 'female'),
    bornFrom2000 + Number((last?.[5] ?? '') >= '2000-01-01'),
  ])
  t.ok(counted.every((count) => count > 1_000))
})
