import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, lstat, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import t from 'tap'
import { locatePackage, usableBinaries } from '../../src/database/embedded/binaries.ts'
import {
  brokenPackage,
  freePort,
  ignore,
  isAlive,
  kill,
  makeFolder,
  postmasterPid,
  query,
  refuses,
  settings,
  start,
  startChild,
} from './embedded-support.ts'

const asRoot = process.getuid?.() === 0
const isDraft = (name: string) => name.startsWith('new-')

/** For the tests that need any cluster: each leaves it stopped. */
const dataDir = await makeFolder(t)

await t.test('the first start makes a UTF-8 database that only its password opens', async (t) => {
  const db = await start(t, dataDir)
  const [row] = await query(
    db.url,
    `select current_database() as name, pg_encoding_to_char(encoding) as encoding,
            lower('ÄÖЖ') as lower, '歪' < '聊' as ordered,
            current_setting('listen_addresses') as addresses,
            current_setting('unix_socket_directories') as sockets,
            current_setting('synchronous_commit') as synchronous,
            current_setting('max_connections') as connections,
            (select string_agg(distinct auth_method, ',') from pg_hba_file_rules) as methods
       from pg_database where datname = current_database()`,
  )
  t.strictSame(row, {
    ...{ name: 'waifchat', encoding: 'UTF8', lower: 'äöж', ordered: true },
    ...{ addresses: '127.0.0.1', sockets: '', synchronous: 'on', connections: '100' },
    methods: 'scram-sha-256',
  })
  t.equal(db.psql, `psql "${db.url}"`)
  t.equal(Number(new URL(db.url).port), db.port)

  const password = path.join(db.clusterDir, 'password')
  t.equal((await stat(password)).mode & 0o777, 0o600)
  t.equal((await readFile(password, 'utf8')).trim(), new URL(db.url).password)
  await t.rejects(query(db.url.replace(/:[^:@]+@/, ':wrong@'), 'select 1'), { code: '28P01' })
  await t.rejects(query(db.url.replace('127.0.0.1', '127.0.0.2'), 'select 1'))
})

await t.test(
  'data survive a stop and a start, in a long path with spaces and Chinese',
  async (t) => {
    const dataDir = path.join(await makeFolder(t), '数 据'.repeat(8), 'a b'.repeat(20))
    const first = await start(t, dataDir)
    await query(first.url, `create table kept as select '你好' as word`)
    await first.stop()
    await first.stop()
    const second = await start(t, dataDir)
    t.strictSame(await query(second.url, 'select word from kept'), [{ word: '你好' }])
  },
)

await t.test('nothing that a refused statement quotes is in its log', async (t) => {
  const db = await start(t, dataDir)
  await t.rejects(query(db.url, `select 'canary'::int`))
  await query(db.url, 'create table notes (text text unique check (length(text) < 8))')
  await query(db.url, `insert into notes values ('canary')`)
  await t.rejects(query(db.url, `insert into notes values ('canary')`))
  await t.rejects(query(db.url, `insert into notes values ('canary too long')`))
  await query(db.url, 'drop table notes')
  const log = await readFile(path.join(db.clusterDir, 'postgres.log'), 'utf8')
  t.match(log, /ready to accept connections/)
  t.notMatch(log, /canary/)
})

await t.test('a port is free by default, or the wanted one', async (t) => {
  const usual = createServer()
  // Whoever has the usual port, it is taken from here on.
  usual.listen(5432, '127.0.0.1')
  await once(usual, 'listening').catch(ignore)
  t.teardown(() => usual.close())
  const db = await start(t, dataDir)
  t.not(db.port, 5432)
  const { port } = db
  await db.stop()
  t.equal((await start(t, dataDir, { port })).port, port)
})

await t.test('a port in use is refused before a cluster is made', async (t) => {
  const dataDir = await makeFolder(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await refuses(t, { dataDir, port }, new RegExp(`port ${port}: address already in use`))
  t.strictSame(await readdir(path.join(dataDir, 'postgres')), [])
})

await t.test('a server left by a crash is adopted, with its data, port and log', async (t) => {
  const crashed = await startChild(t, { dataDir })
  await query(crashed.url, 'create table adopted as select 1 as one')
  await kill(crashed.child)
  const pid = await postmasterPid(dataDir)

  const db = await start(t, dataDir)
  t.equal(db.url, crashed.url)
  t.equal(await postmasterPid(dataDir), pid)
  t.strictSame(await query(db.url, 'select one from adopted'), [{ one: 1 }])
  await t.rejects(query(db.url.replace(/:[^:@]+@/, ':wrong@'), 'select 1'))
  const log = await readFile(path.join(db.clusterDir, 'postgres.log'), 'utf8')
  t.match(log, 'password authentication failed')
  await db.stop()
  await t.rejects(query(db.url, 'select 1'))
})

await t.test('an adopted server moves when another port is wanted', async (t) => {
  const crashed = await startChild(t, { dataDir })
  await query(crashed.url, 'create table moved as select 1 as one')
  await kill(crashed.child)
  const port = await freePort()
  const db = await start(t, dataDir, { port })
  t.equal(db.port, port)
  t.strictSame(await query(db.url, 'select one from moved'), [{ one: 1 }])
  await t.rejects(query(crashed.url, 'select 1'))
})

await t.test('a server that a crash left in recovery is waited for', async (t) => {
  const crashed = await startChild(t, { dataDir })
  await query(crashed.url, 'create table recovered as select generate_series(1, 50000) as n')
  await kill(crashed.child)
  const killed = await postmasterPid(dataDir)
  process.kill(killed, 'SIGKILL')
  const hasStarted = async () => (await postmasterPid(dataDir).catch(() => killed)) !== killed
  const again = await startChild(t, { dataDir }, { until: hasStarted })
  await kill(again.child)
  const db = await start(t, dataDir)
  t.strictSame(await query(db.url, 'select count(*)::int as n from recovered'), [{ n: 50_000 }])
})

await t.test('a stale postmaster.pid is no obstacle, also when its pid lives again', async (t) => {
  const stranger = spawn('sleep', ['60'])
  t.teardown(() => stranger.kill())
  const dead = spawn('true')
  await once(dead, 'exit')
  await (await start(t, dataDir)).stop()
  for (const pid of [stranger.pid ?? 0, dead.pid ?? 0]) {
    const file = path.join(dataDir, 'postgres', 'data', 'postmaster.pid')
    const lines = [pid, path.dirname(file), 1_700_000_000, 5432, '', '127.0.0.1', '', 'ready   ']
    await writeFile(file, lines.join('\n') + '\n')
    const db = await start(t, dataDir)
    t.not(await postmasterPid(dataDir), pid)
    await db.stop()
  }
  t.ok(isAlive(stranger.pid ?? 0), 'the stranger was left alone')
})

await t.test('one process at a time uses the data, and of many at once one wins', async (t) => {
  const children = Array.from({ length: 3 }, () => startChild(t, { dataDir }))
  const results = await Promise.allSettled(children)
  const owners = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
  t.equal(owners.length, 1)
  for (const result of results) {
    if (result.status === 'rejected') t.match(String(result.reason), /Another server \(process \d/)
  }
  const [owner] = owners
  if (!owner) return
  await refuses(t, { dataDir }, new RegExp(`Another server \\(process ${owner.child.pid}\\)`))
  t.strictSame(await query(owner.url, 'select 1 as one'), [{ one: 1 }], 'the owner is unharmed')
  await kill(owner.child)
  await start(t, dataDir)
  await refuses(t, { dataDir }, new RegExp(`Another server \\(process ${process.pid}\\)`))
})

await t.test('a start that was killed while it made the cluster is repeated', async (t) => {
  const dataDir = await makeFolder(t)
  const home = path.join(dataDir, 'postgres')
  const isMaking = async () => (await readdir(home).catch(() => [])).some(isDraft)
  const { child } = await startChild(t, { dataDir }, { until: isMaking })
  await kill(child)
  const db = await start(t, dataDir)
  t.strictSame(await query(db.url, 'select 1 as one'), [{ one: 1 }])
  t.notOk((await readdir(db.clusterDir)).some(isDraft))
})

await t.test('a data folder that cannot be used is refused with one sentence', async (t) => {
  const folder = await makeFolder(t)
  const file = path.join(folder, 'file')
  await writeFile(file, '')
  await refuses(t, { dataDir: file }, `DATA_DIR ${file} cannot be used: it is a file.`)
  await refuses(t, { dataDir: path.join(file, 'x') }, /cannot be used: it is a file/)
  if (os.platform() === 'linux') {
    await refuses(t, { dataDir: '/proc/waifchat' }, /^DATA_DIR \/proc\/waifchat cannot be used: /)
  }
  if (asRoot) return
  await chmod(folder, 0o500)
  await refuses(t, { dataDir: folder }, /cannot be used: permission denied/)
  await chmod(folder, 0o700)
})

await t.test('the data of another PostgreSQL, or of none, are refused', async (t) => {
  const dataDir = await makeFolder(t)
  const data = path.join(dataDir, 'postgres', 'data')
  await mkdir(data, { recursive: true })
  await refuses(t, { dataDir }, /is no database of PostgreSQL/)
  await writeFile(path.join(data, 'PG_VERSION'), '15\n')
  await refuses(t, { dataDir }, /is of PostgreSQL 15, and this server brings \d+\.$/)
  const { major } = await locatePackage()
  await writeFile(path.join(data, 'PG_VERSION'), major)
  await refuses(t, { dataDir }, /^The password of the embedded database, .* is gone\.$/)
})

await t.test('a PostgreSQL that ends at its start says why', async (t) => {
  await refuses(
    t,
    { dataDir, settings: { ...settings, nonsense: '1' } },
    /did not start on port \d+: FATAL: unrecognized configuration parameter "nonsense"\.$/,
  )
  await start(t, dataDir)
})

await t.test('Ctrl-C in the terminal does not reach PostgreSQL', async (t) => {
  const { child } = await startChild(t, { dataDir })
  process.kill(-(child.pid ?? 0), 'SIGINT')
  await once(child, 'exit')
  t.ok(isAlive(await postmasterPid(dataDir)))
  await start(t, dataDir)
})

await t.test('after a stop nothing keeps the process alive', async (t) => {
  const { child } = await startChild(t, { dataDir }, { thenStop: true })
  t.strictSame(child.exitCode ?? (await once(child, 'exit'))[0], 0)
})

await t.test('library links that npm left out are made, by many at once', async (t) => {
  const { folder, copy, links } = await brokenPackage(t)
  const users = Array.from({ length: 4 }, () => usableBinaries(folder, copy, undefined, () => {}))
  for (const { postgres } of await Promise.all(users)) t.ok(postgres.startsWith(folder))
  for (const link of links) t.ok((await lstat(path.join(folder, link))).isSymbolicLink(), link)
  const libraries = await readdir(path.join(folder, 'native', 'lib'))
  t.notOk(libraries.some((name) => /-\w{4}-/.test(name)))
})

await t.test('a package that cannot run is copied, and again when it changes', async (t) => {
  const { folder, copy } = await brokenPackage(t)
  // Nobody may execute it, root included.
  for (const name of ['initdb', 'postgres']) {
    await chmod(path.join(folder, 'native', 'bin', name), 0o644)
  }
  await chmod(path.join(folder, 'native', 'lib'), 0o500)
  t.teardown(() => chmod(path.join(folder, 'native', 'lib'), 0o700))
  const notices: string[] = []
  const use = () => usableBinaries(folder, copy, undefined, (message) => notices.push(message))
  t.ok((await use()).postgres.startsWith(copy))
  await use()
  t.equal(notices.length, 1)
  const manifest = path.join(folder, 'package.json')
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"18.', '"18.99.'))
  await use()
  t.equal(notices.length, 2)
  t.equal(await readFile(path.join(copy, 'package.json'), 'utf8'), await readFile(manifest, 'utf8'))
})

await t.test('as root', { skip: !asRoot && 'only root has this to solve' }, async (t) => {
  await t.test('PostgreSQL runs as another user', async (t) => {
    const dataDir = await makeFolder(t)
    const notices: string[] = []
    const db = await start(t, dataDir, { log: (message) => notices.push(message) })
    t.match(notices[0], /^PostgreSQL runs as \w+; data in /)
    t.not((await stat(path.join(db.clusterDir, 'data'))).uid, 0)
  })

  await t.test('a folder that only root may enter gets its cluster below /var/lib', async (t) => {
    const folder = await makeFolder(t)
    await chmod(folder, 0o700)
    const dataDir = path.join(folder, 'data')
    const notices: string[] = []
    const first = await start(t, dataDir, { log: (message) => notices.push(message) })
    t.match(first.clusterDir, /^\/var\/lib\/waifchat\/[0-9a-f]{12}$/)
    t.match(notices[0], `who may not enter ${dataDir}; data in ${first.clusterDir}`)
    await query(first.url, 'create table kept as select 1 as one')
    await first.stop()

    await chmod(folder, 0o755)
    await rm(path.join(dataDir, 'postgres'))
    const second = await start(t, dataDir)
    t.equal(second.clusterDir, first.clusterDir, 'also once it may be entered')
    t.strictSame(await query(second.url, 'select one from kept'), [{ one: 1 }])
  })

  await t.test('binaries that the user cannot reach are copied', async (t) => {
    const { folder, copy } = await brokenPackage(t)
    await chmod(folder, 0o700)
    const nobody = { uid: 65534, gid: 65534, name: 'nobody' }
    const { postgres } = await usableBinaries(folder, copy, nobody, () => {})
    t.ok(postgres.startsWith(copy))
  })
})
