import t, { type Test } from 'tap'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTestDatabase, execute } from '../helpers/databases.ts'
import { makeFolder } from './embedded-support.ts'

const database = await createTestDatabase()
t.teardown(() => database.drop())
const folder = await makeFolder(t)
const uploads = join(folder, 'uploads')
await mkdir(uploads)

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command as `npm run database:<name> -- ...` does. */
async function run(name: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const settings = {
    ...{ DATABASE_URL: database.url, UPLOAD_DIR: uploads, DATA_DIR: join(folder, 'data') },
    ...env,
  }
  const command = ['--import', 'tsx', `src/database/commands/${name}.ts`, ...args]
  const cwd = new URL('../..', import.meta.url)
  return promisify(execFile)(process.execPath, command, {
    cwd,
    env: { ...process.env, ...settings },
  }).then(
    (output) => ({ code: 0, ...output }),
    (error: unknown) => error as Ended,
  )
}

async function refuses(t: Test, ended: Promise<Ended>, sentence: RegExp) {
  const { code, stdout, stderr } = await ended
  t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: sentence })
}

const id = 'a'.repeat(24)
await execute(
  database.url,
  `insert into users (id, phone, password_hash, nick) values ('${id}', '13800000001', '-', '去者');
  insert into files (stored_name, original_name, kind, media_type, size_bytes, sha256, uploader_id)
  select name, name, 'chat_picture', 'image/png', 3, repeat('0', 64), '${id}'
  from unnest(array['1-图.png', '2-图.png']) name`,
)
for (const name of ['1-图.png', '2-图.png']) await writeFile(join(uploads, name), 'png')

await t.test('database:health tells what is wrong, on the disk too', async (t) => {
  t.match(await run('health', []), { code: 0, stdout: 'No problems.\n' })
  await writeFile(join(uploads, '1-图.png'), 'longer')
  await rm(join(uploads, '2-图.png'))
  await execute(database.url, 'delete from user_nick_suffixes')
  const { code, stdout } = await run('health', [])
  t.equal(code, 1)
  t.same(stdout.split('\n'), [
    `nick_suffixes  users  ${id}  its suffixes are not those of its nick`,
    `file_on_disk  files  1-图.png  the file has 6 bytes, not 3 in ${uploads}`,
    `file_on_disk  files  2-图.png  the file is not there in ${uploads}`,
    '3 problems.',
    '',
  ])
  // What keeps the suffixes makes them anew.
  await execute(database.url, 'update users set nick = nick')
})

await t.test('database:gate makes old messages harmless, once', async (t) => {
  const bodies = ['<b>x</b>', '<img src=x onerror=alert(1)>', '你好', '[`<b>`|`', 'no JSON']
  const kinds = ['text', 'text', 'text', 'markdown', 'picture']
  const other = 'b'.repeat(24)
  const values = bodies.map(
    (body, index) => `('${String(index).padStart(24, '0')}', 1, ${index + 1},
      nextval('message_positions'), '${id}', '${String(kinds[index])}', '${body}', now())`,
  )
  await execute(
    database.url,
    `begin;
    insert into users (id, phone, password_hash, nick) values ('${other}', '13800000002', '-', '乙');
    insert into conversations (id, kind, low_user_id, high_user_id, last_seq, last_position)
    overriding system value values (1, 'private', '${id}', '${other}', 5, 5);
    insert into messages (id, conversation_id, seq, position, sender_id, kind, body, sent_at)
    values ${values.join()};
    update conversations set last_position = (select max(position) from messages);
    commit`,
  )
  t.match(await run('gate', []), { code: 0, stdout: 'Read 5 messages and changed 3.\n' })
  const { rows } = await execute(database.url, 'select kind, body from messages order by position')
  t.same(rows, [
    { kind: 'text', body: '<b>x</b>' },
    { kind: 'text', body: '&lt;img src=x onerror=alert(1)>' },
    { kind: 'text', body: '你好' },
    { kind: 'markdown', body: '[`&lt;b>`|`' },
    { kind: 'text', body: 'no JSON' },
  ])
  t.match(await run('gate', []), { code: 0, stdout: 'Read 5 messages and changed 0.\n' })
  await execute(
    database.url,
    `delete from messages; delete from conversations;
    delete from users where id = '${other}'`,
  )
})

await t.test('database:reader makes a role and prints how to connect', async (t) => {
  const role = `reader_${randomBytes(6).toString('hex')}`
  t.teardown(() => execute(database.url, `drop owned by ${role}; drop role ${role}`))
  const { stdout } = await run('reader', [role])
  const address = /^psql "(postgres:.*)"\n$/.exec(stdout)?.[1] ?? ''
  t.same((await execute(address, 'select nick from users')).rows, [{ nick: '去者' }])
  await t.rejects(execute(address, 'select password_hash from users'), { code: '42501' })
  const again = await run('reader', [role])
  t.match(again, { code: 0, stdout: new RegExp(`^psql "postgres://${role}@`) })
  await Promise.all([
    refuses(t, run('reader', []), /^Say which role: .*\.\n$/),
    refuses(t, run('reader', ['postgres']), /^Role postgres may do everything .*\.\n$/),
  ])
})

await t.test('database:erase shows what it would do, and then does it', async (t) => {
  const shown = await run('erase', ['13800000001'])
  t.match(shown, { code: 0, stdout: /^Would erase 去者 \(a{24}\), 0 messages and 2 files;/ })
  t.ok(existsSync(join(uploads, '1-图.png')))
  const done = await run('erase', [id, '--yes'])
  t.match(done, { code: 0, stdout: /^Erased 去者 \(a{24}\), 0 messages and 2 files\./ })
  t.notOk(existsSync(join(uploads, '1-图.png')))
  await Promise.all([
    refuses(t, run('erase', [id, '--yes']), /^There is no user a{24}\.\n$/),
    refuses(t, run('erase', []), /^Say whom: .*\.\n$/),
  ])
})

await t.test('the database that the server brings is started for a command', async (t) => {
  t.match(await run('health', [], { DATABASE_URL: '' }), { code: 0, stdout: 'No problems.\n' })
})
