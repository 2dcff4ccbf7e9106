import t, { type Test } from 'tap'
import { randomBytes } from 'node:crypto'
import { migrateDatabase } from '../../src/database/migrate.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'

const database = await createTestDatabase()
/** Roles belong to the whole cluster, so their names must be nobody else's. */
const reader = `reader_${randomBytes(6).toString('hex')}`
t.teardown(async () => {
  await execute(database.url, `drop owned by ${reader}; drop role ${reader}`)
  await database.drop()
})
const address = new URL(database.url)
address.username = reader
address.password = 'secret'
const asReader = (sql: string) => execute(address.href, sql)

await execute(
  database.url,
  `insert into users (id, phone, password_hash, nick)
  values (repeat('a', 24), '13000000001', 'hash', '小明')`,
)

async function refuses(t: Test, sql: string, code: string | string[] = '42501') {
  const error: unknown = await asReader(sql).catch((cause: unknown) => cause)
  t.ok(
    [code].flat().includes(String((error as { code?: string }).code)),
    `${sql}: ${String(error)}`,
  )
}

/** Every table and view with its columns, and whether they are secret. */
async function columns(): Promise<{ name: string; open: string; secret: string[] | null }[]> {
  const { rows } = await execute(
    database.url,
    `select c.oid::regclass::text as name,
      string_agg(quote_ident(attname), ', ') filter (where s.column_name is null) as open,
      array_agg(attname::text) filter (where s.column_name is not null) as secret
    from pg_class c
    join pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped
    left join secret_columns s on s.table_name = relname and s.column_name = attname
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
    group by c.oid`,
  )
  return rows as Awaited<ReturnType<typeof columns>>
}

await t.test('a reader reads every table and view', async (t) => {
  const made = await execute(database.url, `select create_reader('${reader}', 'secret') as made`)
  t.same(made.rows, [{ made: true }])
  const tables = await columns()
  t.ok(tables.length > 20)
  for (const { name, open } of tables) await asReader(`select ${open} from ${name}`)
  t.same((await asReader('select nick from users')).rows, [{ nick: '小明' }])
  t.same((await asReader('select * from health_problems')).rows, [])
})

await t.test('a reader does not read the secrets', async (t) => {
  const secrets = (await columns()).filter(({ secret }) => secret !== null)
  t.same(secrets.map(({ name, secret }) => [name, secret]).sort(), [
    ['imported_documents', ['remainder']],
    ['quarantine', ['document', 'document_text']],
    ['socket_sessions', ['pid_hash']],
    ['users', ['password_hash']],
  ])
  for (const { name, secret } of secrets) {
    for (const column of secret ?? []) {
      await refuses(t, `select ${column} from ${name}`)
      await refuses(t, `select from ${name} where ${column} is null`)
    }
    await refuses(t, `select * from ${name}`)
    await refuses(t, `select to_jsonb(t) from ${name} t`)
    await refuses(t, `copy ${name} to stdout`)
  }
  await refuses(t, 'select rolpassword from pg_authid')
  await refuses(t, 'select last_value from message_positions')
})

await t.test('no view shows a secret', async (t) => {
  const { rows } = await execute(
    database.url,
    `select distinct r.ev_class::regclass::text as view, s.column_name
    from secret_columns s
    join pg_attribute a on a.attrelid = s.table_name::regclass and a.attname = s.column_name
    join pg_depend d on d.refobjid = a.attrelid and d.refobjsubid = a.attnum
    join pg_rewrite r on r.oid = d.objid`,
  )
  t.same(rows, [])
})

await t.test('what is called like a secret is one, or is named here', async (t) => {
  const { rows } = await execute(
    database.url,
    `select table_name || '.' || column_name as name from information_schema.columns
    where table_schema = 'public' and column_name ~ '(hash|secret|token|password|digest|sha|key)'
      and (table_name, column_name) not in (select table_name, column_name from secret_columns)
    order by 1`,
  )
  t.same(
    (rows as { name: string }[]).map(({ name }) => name),
    // Digests of ids that nobody has any more, hashes of files that anybody may fetch, and of documents without their passwords; the key of
    // a file; and words of views that mean a row.
    [
      'erased_ids.id_digest',
      'files.sha256',
      'files.upload_key',
      'health_problems.row_key',
      'imported_documents.digest',
      'imports.dump_digest',
      'quarantine.digest',
    ],
  )
})

await t.test('a reader writes nothing', async (t) => {
  const writes = [
    `insert into notes (id, author_id, body, written_at)
      values (repeat('b', 24), repeat('a', 24), 'x', now())`,
    `update users set nick = '坏'`,
    'delete from users',
    'truncate users',
    'create table public.mine (id int)',
    'drop view message_list',
    `comment on table users is ''`,
    `grant select on users to ${reader}`,
    'alter table users disable trigger all',
    'select * from users for update',
    `select nextval('message_positions')`,
    `select erase_user(repeat('a', 24))`,
    `select grant_reading('${reader}')`,
    `select create_reader('another')`,
    'select refresh_readers()',
    `select * from store_messages(array[repeat('c', 24)], '{private}', array[repeat('a', 24)],
      array[repeat('a', 24)], '{text}', '{x}', array[now()], false)`,
  ]
  for (const sql of writes) {
    // Refused because the transaction only reads, and all the same when it may write.
    await refuses(t, sql, ['25006', '42501'])
    await refuses(t, `begin; set transaction read write; ${sql}`)
  }
  t.same((await asReader('select nick from users')).rows, [{ nick: '小明' }])
})

await t.test('what a later migration makes is read too, its secrets are not', async (t) => {
  await execute(
    database.url,
    `create table later (id int primary key, pin text);
    create view later_view as select id from later;
    create or replace view secret_columns as
    select v.* from (values ('users', 'password_hash', ''), ('socket_sessions', 'pid_hash', ''),
      ('later', 'pin', '')) v (table_name, column_name, reason)`,
  )
  await refuses(t, 'select id from later')
  // As at the next start of the server.
  await migrateDatabase(database.url)
  await asReader('select id from later')
  await asReader('select * from later_view')
  await refuses(t, 'select pin from later')
  await refuses(t, 'select password_hash from users')
})

await t.test('who may do everything is not made a reader', async (t) => {
  await t.rejects(execute(database.url, 'select create_reader(current_user)'), /may do everything/)
  const again = await execute(database.url, `select create_reader('${reader}', 'other') as made`)
  t.same(again.rows, [{ made: false }])
  await asReader('select id from users')
})
