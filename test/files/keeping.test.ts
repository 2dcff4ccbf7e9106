import t from 'tap'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { pino } from 'pino'
import { openDatabase } from '../../src/database/connection.ts'
import { type Finished, keepPictures, keepUpload } from '../../src/files/keeping.ts'
import { findKey, findServed } from '../../src/files/queries.ts'
import { openStorage, type Storage } from '../../src/files/storage.ts'
import { createTestDatabase } from '../helpers/databases.ts'

const database = await createTestDatabase()
// One connection: whoever holds it while the disk works keeps everybody else from the database.
const db = openDatabase(database.url, 1, pino({ level: 'silent' }))
const other = new pg.Client({ connectionString: database.url })
await other.connect()
t.teardown(async () => {
  await other.end()
  await db.close()
  await database.drop()
})
const storage = await openStorage(t.testdir({}), 0)

async function finished(content: string): Promise<Finished> {
  const part = storage.newPart()
  await writeFile(part, content)
  const facts = { originalName: 'a.png', mediaType: 'image/png', sizeBytes: content.length }
  const rest = { kind: 'chat_file', sha256: '0'.repeat(64), uploaderId: null } as const
  return { part, facts: { ...facts, ...rest } }
}

async function joined(content: string, { proven = true, key = newKey() } = {}) {
  return { ...(await finished(content)), key, proven, chunkCount: 1 }
}

function newKey(): string {
  return randomBytes(16).toString('hex')
}

/** A row as another server would have stored it. */
async function insertRow(storedName: string, key: string | null): Promise<void> {
  await other.query(
    `insert into files (stored_name, original_name, kind, media_type, size_bytes, sha256, upload_key)
     values ($1, 'a.png', 'chat_file', 'image/png', 1, repeat('0', 64), $2)`,
    [storedName, key],
  )
}

const contentOf = (storedName: string) => readFile(join(storage.folder, storedName), 'utf8')

await t.test('no connection waits for the disk', async (t) => {
  let asked = 0
  const slow: Storage = {
    ...storage,
    async claim(moves) {
      t.equal(db.pool.totalCount - db.pool.idleCount, 0, 'nobody has a connection')
      await findKey(db, newKey())
      asked += 1
      return storage.claim(moves)
    },
  }
  const [picture] = await keepPictures(db, slow, [await finished('picture')])
  t.equal(await contentOf(picture ?? ''), 'picture')
  const wrong = await joined('wrong', { proven: false })
  t.equal(await keepUpload(db, slow, wrong), `${wrong.key}.png`)
  const right = await keepUpload(db, slow, await joined('right', { key: wrong.key }))
  t.match(right, new RegExp(`^\\d{13}-${wrong.key}\\.png$`))
  t.same(await findKey(db, wrong.key), { storedName: right, proven: true })
  t.equal(asked, 3)
})

/** Has a row wait for another transaction, and ends its connection while it does. */
async function loseConnection(work: () => Promise<unknown>, meanwhile: () => Promise<void>) {
  await other.query('begin')
  await other.query('lock table files in share row exclusive mode')
  const working = work()
  for (;;) {
    await sleep(5)
    const { rowCount } = await other.query(
      `select pg_terminate_backend(pid) from pg_locks where relation = 'files'::regclass and not granted`,
    )
    if (rowCount !== 0) break
  }
  await meanwhile()
  await other.query('commit')
  return working
}

await t.test('a row is tried again when its connection is lost', async (t) => {
  const upload = await joined('upload')
  const name = await loseConnection(
    () => keepUpload(db, storage, upload),
    async () => {
      t.equal(await contentOf(`${upload.key}.png`), 'upload', 'the file is there already')
    },
  )
  t.equal(name, `${upload.key}.png`)
  t.same(await findKey(db, upload.key), { storedName: name, proven: true })
})

await t.test('a row that was stored although its answer was lost is there once', async (t) => {
  const upload = await joined('upload')
  const name = await loseConnection(
    () => keepUpload(db, storage, upload),
    async () => {
      await insertRow(`${upload.key}.png`, upload.key)
    },
  )
  t.equal(name, `${upload.key}.png`)
  t.equal(await contentOf(name as string), 'upload')

  const before = new Set(await readdir(storage.folder))
  const pictures = [await finished('picture')]
  let claimed: string[] = []
  const names = await loseConnection(
    () => keepPictures(db, storage, pictures),
    async () => {
      claimed = (await readdir(storage.folder)).filter((name) => !before.has(name))
      for (const storedName of claimed) await insertRow(storedName, null)
    },
  )
  t.equal(claimed.length, 1)
  t.same(names, claimed)
  t.equal(await contentOf(claimed[0] ?? ''), 'picture')
})

await t.test('a file whose row is refused is taken back', async (t) => {
  const before = await readdir(storage.folder)
  const { part, facts } = await finished('x')
  const unsound = { part, facts: { ...facts, sha256: 'none' } }
  await t.rejects(keepPictures(db, storage, [await finished('y'), unsound]))
  await t.rejects(keepUpload(db, storage, { ...(await joined('x')), ...unsound }))
  t.same(await readdir(storage.folder), before)
})

await t.test('a file without a row is not overwritten', async (t) => {
  const upload = await joined('mine')
  await writeFile(join(storage.folder, `${upload.key}.png`), 'of another database')
  const name = await keepUpload(db, storage, upload)
  t.match(name, new RegExp(`^\\d{13}-${upload.key}\\.png$`))
  t.equal(await contentOf(name), 'mine')
  t.equal(await contentOf(`${upload.key}.png`), 'of another database')
  t.equal(await findServed(db, `${upload.key}.png`), undefined)
})

await t.test('a name that another server took in the same millisecond', async (t) => {
  const theirs: string[] = []
  const racing: Storage = {
    ...storage,
    async claim(moves) {
      const [{ storedName } = { storedName: '' }] = moves
      // First its file is faster, then its row.
      if (theirs.length < 2) theirs.push(storedName)
      if (theirs.length === 1) await writeFile(join(storage.folder, storedName), 'theirs')
      else if (theirs.at(-1) === storedName) await insertRow(storedName, null)
      return storage.claim(moves)
    },
  }
  const pictures = [await finished('mine'), await finished('mine too')]
  const names = await keepPictures(db, racing, pictures)
  t.same(await Promise.all(names.map(contentOf)), ['mine', 'mine too'])
  t.equal(new Set([...theirs, ...names]).size, 4)
  t.equal(await contentOf(theirs[0] ?? ''), 'theirs', 'not overwritten')
  t.notOk(await storage.has(theirs[1] ?? ''), 'taken back')
})

await t.test('of many at once under one key, one stays', async (t) => {
  const key = newKey()
  const uploads = await Promise.all(
    Array.from({ length: 8 }, (_, index) => joined(String(index), { key })),
  )
  const names = await Promise.all(uploads.map((upload) => keepUpload(db, storage, upload)))
  t.same(new Set(names), new Set([`${key}.png`]))
})
