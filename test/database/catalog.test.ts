import t from 'tap'
import { createTestDatabase, execute } from '../helpers/databases.ts'

const database = await createTestDatabase()
t.teardown(() => database.drop())

/** Rows of one text column. */
async function names(query: string): Promise<string[]> {
  const { rows } = await execute(database.url, query)
  return (rows as { name: string }[]).map(({ name }) => name)
}

await t.test('everything that a DBA may look at has a comment', async (t) => {
  const kinds: Record<string, [least: number, query: string]> = {
    tables: [
      13,
      `select relname as name, obj_description(oid, 'pg_class') as comment
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'f')`,
    ],
    views: [
      10,
      `select relname as name, obj_description(oid, 'pg_class') as comment
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')`,
    ],
    columns: [
      89,
      `select relname || '.' || attname as name, col_description(attrelid, attnum) as comment
      from pg_attribute join pg_class c on c.oid = attrelid
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'f', 'v', 'm')
        and attnum > 0 and not attisdropped`,
    ],
    types: [
      7,
      `select typname as name, obj_description(oid, 'pg_type') as comment
      from pg_type where typnamespace = 'public'::regnamespace and typtype in ('e', 'd', 'r', 'm')`,
    ],
    // Not null is said by the column; PostgreSQL 18 makes a constraint of it.
    constraints: [
      70,
      `select conname as name, obj_description(oid, 'pg_constraint') as comment
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'`,
    ],
    // Those of constraints are explained there.
    indexes: [
      20,
      `select relname as name, obj_description(oid, 'pg_class') as comment
      from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'i'
        and not exists (select from pg_constraint where conindid = c.oid)`,
    ],
    // Those of identity columns belong to their column.
    sequences: [
      1,
      `select relname as name, obj_description(oid, 'pg_class') as comment
      from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'S'
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i'))`,
    ],
    functions: [
      10,
      `select proname as name, obj_description(oid, 'pg_proc') as comment
      from pg_proc where pronamespace = 'public'::regnamespace`,
    ],
    // Those of foreign keys belong to their constraint.
    triggers: [
      2,
      `select tgname as name, obj_description(t.oid, 'pg_trigger') as comment
      from pg_trigger t join pg_class c on c.oid = tgrelid
      where relnamespace = 'public'::regnamespace and not tgisinternal`,
    ],
  }
  for (const [kind, [least, query]] of Object.entries(kinds)) {
    const { rows } = await execute(database.url, query)
    const found = rows as { name: string; comment: string | null }[]
    t.ok(found.length >= least, `${kind}: ${found.length}`)
    const bare = found.filter(({ comment }) => (comment ?? '').trim() === '')
    t.same(
      bare.map(({ name }) => name),
      [],
      `${kind} without a comment`,
    )
  }
})

await t.test('names are lower case words, and every table has a primary key', async (t) => {
  const odd = await names(
    `select relname || coalesce('.' || attname, '') as name
    from pg_class c left join pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'i', 'S')
      and (relname !~ '^[a-z][a-z0-9_]*$' or attname !~ '^[a-z][a-z0-9_]*$')
    union all
    select conname from pg_constraint
    where connamespace = 'public'::regnamespace and conname !~ '^[a-z][a-z0-9_]*$'`,
  )
  t.same(odd, [])
  const keyless = await names(
    `select relname as name from pg_class c
    where relnamespace = 'public'::regnamespace and relkind = 'r'
      and not exists (select from pg_constraint where conrelid = c.oid and contype = 'p')
    order by 1`,
  )
  // Kept by a trigger; a name may have one suffix twice only where it has one character twice.
  t.same(keyless, ['group_name_suffixes', 'user_nick_suffixes'])
})

const ERASED = 'users are deleted by erase_user alone, one at a time: it reads the table once'

/** Foreign keys without an index of their own, and why they need none. */
const unindexed: Record<string, string> = {
  comments_author_id_users_id_fk: ERASED,
  comments_recipient_id_users_id_fk: ERASED,
  conversations_high_user_id_users_id_fk: ERASED,
  imported_documents_import_id_imports_id_fk: 'imports to which documents refer are never deleted',
  messages_sender_id_users_id_fk: ERASED,
  notes_author_id_users_id_fk: ERASED,
  quarantine_import_id_imports_id_fk: 'imports to which documents refer are never deleted',
  space_likes_user_id_users_id_fk: ERASED,
}

await t.test(
  'every constraint holds, and every foreign key has an index or a reason',
  async (t) => {
    t.same(await names('select conname as name from pg_constraint where not convalidated'), [])
    // Served by an index that begins with its columns, or that has nothing but some of them.
    const bare = await names(
      `select conname as name from pg_constraint k
    where contype = 'f' and connamespace = 'public'::regnamespace and not exists (
      select from (select indrelid, indpred, indkey::int2[] as columns from pg_index) i,
        lateral (select columns[0:cardinality(k.conkey) - 1] as first) f
      where indrelid = k.conrelid and indpred is null
        and ((first <@ k.conkey and first @> k.conkey) or columns <@ k.conkey)
    ) order by 1`,
    )
    t.same(bare, Object.keys(unindexed))
  },
)
