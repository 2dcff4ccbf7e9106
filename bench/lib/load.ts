/** Loads a world by COPY, in the state in which the server itself would have left it. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import {
  commentRows,
  conversationRows,
  friendshipRows,
  groupRows,
  memberRows,
  messageRows,
  people,
  spaceRows,
} from './rows.ts'
import { generator, planConversations, type World } from './world.ts'

/** Says how far a load is. */
export type Progress = (table: string, rows: number, of: number) => void

/** Fills a migrated, empty database. Gives the number of rows per table. */
export async function load(url: string, world: World, progress: Progress): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const random = generator(world.seed)
  const copy = async (table: string, columns: string, of: number, rows: Iterable<string>) => {
    const sink = client.query(copyFrom(`copy ${table} (${columns}) from stdin`))
    await pipeline(Readable.from(chunks(table, of, rows, progress)), sink)
  }
  try {
    // Triggers and foreign keys are off while loading; health is checked afterwards.
    await client.query("set session_replication_role = 'replica'")
    await client.query("set maintenance_work_mem = '512MB'")
    await client.query('set synchronous_commit = off')
    const rebuild = await dropIndexes(client)

    await copy(
      'users',
      'id, phone, password_hash, nick, birthday',
      world.users,
      people(world.users, random),
    )
    await client.query(`insert into user_nick_suffixes (user_id, suffix)
      select id, substr(search_fold(nick), i)
      from users, generate_series(1, char_length(search_fold(nick))) i`)

    const plan = planConversations(world, random)
    await copy(
      'messages',
      'id, conversation_id, seq, position, sender_id, kind, body, sent_at',
      world.messages,
      messageRows(plan, world, random),
    )
    await copy(
      'conversations',
      'id, kind, low_user_id, high_user_id, group_id, last_seq, last_position',
      plan.length,
      conversationRows(plan),
    )
    await copy(
      'friendships',
      'id, user_id, friend_id, state, conversation_id, read_seq, sent_total, sent_when_read',
      plan.length * 2,
      friendshipRows(plan),
    )
    await copy('groups', 'id, owner_id, name, number, sign', world.groups, groupRows(plan, random))
    await client.query(`insert into group_name_suffixes (group_id, suffix)
      select id, substr(search_fold(name), i)
      from groups, generate_series(1, char_length(search_fold(name))) i`)
    await copy(
      'group_members',
      'id, group_id, user_id, state, joined_at, read_seq, sent_total, sent_when_read',
      plan.reduce((sum, { members }) => sum + (members?.length ?? 0), 0),
      memberRows(plan),
    )
    await client.query("select setval('message_positions', $1)", [world.messages])
    await client.query("select setval('conversations_id_seq', $1)", [plan.length])
    await copy('spaces', 'id, author_id, body, created_at', world.spaces, spaceRows(world, random))
    await copy(
      'comments',
      'id, space_id, author_id, recipient_id, body, created_at',
      world.spaces * 5,
      commentRows(world, random),
    )
    await rebuild(progress)
    await client.query('vacuum analyze')
  } finally {
    await client.end()
  }
}

/** Indexes of the large tables are built when the rows are there; gives what builds them. */
async function dropIndexes(client: pg.Client): Promise<(progress: Progress) => Promise<void>> {
  const { rows } = await client.query<{ drop: string; create: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
      format('alter table %s add constraint %I %s', conrelid::regclass, conname,
        pg_get_constraintdef(oid)) as create
    from pg_constraint where contype in ('p', 'u') and conrelid = 'messages'::regclass
    union all
    select format('drop index %I', indexname), indexdef from pg_indexes
    where tablename in ('user_nick_suffixes', 'comments', 'friendships', 'users')
      and not exists (select from pg_constraint where conname = indexname)`,
  )
  for (const { drop } of rows) await client.query(drop)
  return async (progress) => {
    for (const [index, { create }] of rows.entries()) {
      progress('indexes', index, rows.length)
      await client.query(create)
    }
  }
}

function* chunks(
  table: string,
  of: number,
  rows: Iterable<string>,
  progress: Progress,
): Generator<string> {
  let chunk = ''
  let done = 0
  for (const row of rows) {
    chunk += `${row}\n`
    done += 1
    if (chunk.length < 65_536) continue
    yield chunk
    chunk = ''
    progress(table, done, of)
  }
  yield chunk
  progress(table, done, of)
}
