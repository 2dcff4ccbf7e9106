import { randomBytes, randomInt } from 'node:crypto'
import pg from 'pg'

/** Runs statements on one connection. */
export async function withDatabase<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const newId = () => randomBytes(12).toString('hex')

/** Makes people without passwords; gives their ids. */
export async function makePeople(url: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, newId)
  await withDatabase(url, (client) =>
    client.query(
      `insert into users (id, phone, password_hash, nick)
      select id, '139' || lpad((n + (select count(*) from users))::text, 8, '0'), 'none', 'No ' || n
      from unnest($1::text[]) with ordinality as person (id, n)`,
      [ids],
    ),
  )
  return ids
}

/** Makes pairs of people friends. */
export async function makeFriends(
  url: string,
  pairs: readonly (readonly [string, string])[],
): Promise<void> {
  const sorted = pairs.map((pair) => [...pair].sort() as [string, string])
  await withDatabase(url, (client) =>
    client.query(
      `with pair as (
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
          as pair (low, high, low_row, high_row)
      ), conversation as (
        insert into conversations (kind, low_user_id, high_user_id)
        select 'private', low, high from pair returning id, low_user_id, high_user_id
      )
      insert into friendships (id, user_id, friend_id, state, conversation_id)
      select one.row_id, one.user_id, one.friend_id, 'accepted', conversation.id
      from pair
      join conversation on low_user_id = low and high_user_id = high
      cross join lateral (values (low_row, low, high), (high_row, high, low))
        as one (row_id, user_id, friend_id)`,
      [
        sorted.map(([low]) => low),
        sorted.map(([, high]) => high),
        sorted.map(newId),
        sorted.map(newId),
      ],
    ),
  )
}

/** Makes a group of people; the first owns it. Gives its id. */
export async function makeGroup(url: string, members: readonly string[]): Promise<string> {
  const id = newId()
  await withDatabase(url, (client) =>
    client.query(
      `with made as (
        insert into groups (id, owner_id, name, number, sign)
        values ($1, $2, 'group', $5, '') returning id
      ), conversation as (
        insert into conversations (kind, group_id) select 'group', id from made
      )
      insert into group_members (id, group_id, user_id, state, joined_at)
      select row_id, made.id, user_id, 'member', now()
      from made, unnest($3::text[], $4::text[]) as member (row_id, user_id)`,
      [id, members[0], members.map(newId), members, randomInt(1e6, 1e13)],
    ),
  )
  return id
}

/** Waits until something holds; looks again and again. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patience = 30_000,
): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${patience} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether another connection waits for a lock. */
export async function isWaited(db: pg.Client): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())',
  )
  return rowCount !== 0
}

/** Numbers from 0 to 1 that a seed decides. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}
