import t from 'tap'
import { mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createArrivals } from '../../src/files/arrivals.ts'
import { createChunkStore } from '../../src/files/chunks.ts'
import { UNNAMED } from '../../src/files/names.ts'
import { labelOf, openStorage, ownerOf, type Storage } from '../../src/files/storage.ts'
import { type Rows, sweep } from '../../src/files/sweep.ts'

const HOUR = 60 * 60_000
const DAY = 24 * HOUR
/** No key stands for a file, and no file has a row. */
const none: Rows = { joined: async () => new Set(), named: async () => new Set() }

async function age(path: string, milliseconds: number): Promise<void> {
  const time = new Date(Date.now() - milliseconds)
  await utimes(path, time, time)
}

/** A temporary file as a process with another number would have made it. */
async function partOf(storage: Storage, pid: number): Promise<string> {
  const part = storage.newPart().replace(`-${process.pid}-`, `-${pid}-`)
  await writeFile(part, 'x')
  return basename(part)
}

await t.test('a folder that cannot be used stops the start with one sentence', async (t) => {
  const folder = t.testdir({ file: 'not a folder' })
  for (const uploadDir of [join(folder, 'file'), join(folder, 'file', 'up')]) {
    await t.rejects(openStorage(uploadDir, 0), {
      name: 'StartupError',
      message: /^UPLOAD_DIR=.+ cannot be used: [A-Z]+: .+\.$/,
    })
  }
})

await t.test('temporary files get their names together or not at all', async (t) => {
  const storage = await openStorage(join(t.testdir({}), '文件 夹'), 0)
  const [one, two, missing] = [storage.newPart(), storage.newPart(), storage.newPart()] as const
  await writeFile(one, 'one')
  await writeFile(two, 'two')
  t.equal(dirname(one), storage.parts)
  await t.rejects(
    storage.claim([
      { part: one, storedName: 'a' },
      { part: missing, storedName: 'b' },
    ]),
    { code: 'ENOENT' },
  )
  t.notOk(await storage.has('a'))
  t.ok(await storage.claim([{ part: two, storedName: '很' }]))
  const moves = [
    { part: one, storedName: 'a' },
    { part: one, storedName: '很' },
  ]
  t.notOk(await storage.claim(moves), 'a name is taken')
  t.same(
    (await readdir(storage.folder)).filter((name) => !name.startsWith('.')),
    ['很'],
  )
  t.equal(await readFile(join(storage.folder, '很'), 'utf8'), 'two', 'nothing is overwritten')
  await storage.withdraw(['很', 'a'])
  t.notOk(await storage.has('很'))
})

await t.test('room on the disk is promised once', async (t) => {
  const { folder } = await openStorage(t.testdir({}), 0)
  const GIBIBYTE = 1024 ** 3
  const free = await openStorage(folder, 0)
  t.ok(await free.reserve(1))
  t.notOk(await free.reserve(Number.MAX_SAFE_INTEGER))
  const releases: (() => void)[] = []
  let release: (() => void) | undefined
  while ((release = await free.reserve(GIBIBYTE))) releases.push(release)
  t.ok(releases.length < 1_000_000, 'the promises add up')
  await sleep(1_100)
  t.notOk(await free.reserve(2 * GIBIBYTE), 'and are kept')
  for (const one of releases) one()
  await sleep(1_100)
  t.ok(await free.reserve(2 * GIBIBYTE), 'until the work ends')
  const full = await openStorage(folder, Number.MAX_SAFE_INTEGER)
  t.notOk(await full.reserve(0))
})

await t.test('a sweep deletes what nobody will finish, and nothing else', async (t) => {
  const storage = await openStorage(t.testdir({}), 0)
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  const own = await partOf(storage, process.pid)
  const others = await partOf(storage, process.ppid)
  await partOf(storage, dead)
  const foreign = 'ffffffff-1-x.part'
  await writeFile(join(storage.parts, foreign), 'x')
  await writeFile(join(storage.parts, 'ffffffff-2-old.part'), 'x')
  await age(join(storage.parts, 'ffffffff-2-old.part'), 2 * HOUR)
  await writeFile(join(storage.folder, 'kept.png'), 'x')
  t.same([own, others, foreign].map(ownerOf), ['this process', 'another', 'of another machine'])
  t.same([storage.newPart('x'), storage.newPart(), foreign].map(labelOf), ['x', '', 'x'])

  t.equal(await sweep(storage, DAY, none, false), 2)
  t.same((await readdir(storage.parts)).sort(), [own, others, foreign].sort())
  t.equal(await sweep(storage, DAY, none, true), 1, 'at a start, nothing is ours yet')
  t.same((await readdir(storage.parts)).sort(), [others, foreign].sort())
  t.ok(await storage.has('kept.png'))
})

await t.test('a sweep deletes files that were claimed and got no row', async (t) => {
  const storage = await openStorage(t.testdir({}), 0)
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  const claim = async (storedName: string, pid: number) => {
    const part = join(storage.parts, await partOf(storage, pid))
    t.ok(await storage.claim([{ part, storedName }]))
  }
  await claim('lost.png', dead)
  await claim('stored.png', dead)
  await claim('on its way.png', process.ppid)
  await writeFile(join(storage.folder, 'of another database.png'), 'x')
  const doubtful = storage.newPart()
  await writeFile(doubtful, 'x')
  await storage.claim([{ part: doubtful, storedName: 'doubtful.png' }])
  await storage.leaveToSweep(['doubtful.png'])
  await unlink(doubtful)

  const asked: string[] = []
  const named = async (names: readonly string[]) => {
    asked.push(...names)
    return new Set(['stored.png'])
  }
  const files = async () => (await readdir(storage.folder)).filter((name) => name.endsWith('png'))
  t.equal(await sweep(storage, DAY, { ...none, named }, false), 2)
  t.same(asked.sort(), ['lost.png', 'stored.png'], 'asked about what was in doubt only')
  const kept = ['doubtful.png', 'of another database.png', 'on its way.png', 'stored.png']
  t.same((await files()).sort(), kept)
  t.equal(await sweep(storage, DAY, none, true), 1)
  t.same((await files()).sort(), kept.slice(1), 'at a start, what this process left too')
})

await t.test('chunks that other servers receive are seen by their temporary files', async (t) => {
  const storage = await openStorage(t.testdir({}), 0)
  const arrivals = createArrivals(storage)
  const key = 'a'.repeat(32)
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  const state = async (name: string, idle: number) => {
    const path = join(storage.parts, name)
    await writeFile(path, 'x')
    await age(path, idle)
    const seen = await arrivals.state(key, Infinity)
    await unlink(path)
    return seen
  }
  const ofPid = (pid: number, label: string) =>
    basename(storage.newPart(label)).replace(`-${process.pid}-`, `-${pid}-`)
  t.equal(await state(ofPid(process.ppid, key), HOUR), 'arriving')
  t.equal(await state(ofPid(process.ppid, 'b'.repeat(32)), 0), 'quiet', 'of another file')
  t.equal(await state(ofPid(dead, key), 0), 'quiet', 'nobody receives it any more')
  t.equal(await state(ofPid(process.pid, key), 0), 'quiet', 'known without its file')
  t.equal(await state(ofPid(process.ppid, UNNAMED), 0), 'unsure')
  t.equal(await state(ofPid(process.ppid, UNNAMED), HOUR), 'quiet')
  t.equal(await state(`ffffffff-1-x-${key}.part`, 0), 'arriving')
  t.equal(await state(`ffffffff-1-x-${key}.part`, HOUR), 'quiet', 'its server may be dead')
})

await t.test('a chunk without a name counts while its bytes keep coming', async (t) => {
  const arrivals = createArrivals(await openStorage(t.testdir({}), 0))
  const key = 'a'.repeat(32)
  let bytes = 0
  const arrival = arrivals.begin(() => bytes)
  t.equal(await arrivals.state(key, 0), 'quiet', 'it began later')
  t.equal(await arrivals.state(key, Infinity), 'unsure')
  await sleep(2_100)
  bytes += 1
  t.equal(await arrivals.state(key, Infinity), 'unsure')
  await sleep(2_100)
  t.equal(await arrivals.state(key, Infinity), 'quiet')
  arrival.fileHash = key
  t.equal(await arrivals.state(key, Infinity), 'arriving')
  arrival.end()
  t.equal(await arrivals.state(key, Infinity), 'quiet')
})

await t.test('abandoned chunks expire as a whole', async (t) => {
  const storage = await openStorage(t.testdir({}), 0)
  const chunks = createChunkStore(storage)
  const put = async (key: string, index: number) => {
    const part = storage.newPart()
    await writeFile(part, String(index))
    return chunks.store(key, index, part)
  }
  const [old, young, joined] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)]
  for (const key of [old, young, joined]) {
    t.same([await put(key, 10), await put(key, 9), await put(key, 0)], [true, false, false])
  }
  t.same(await chunks.list(old), [0, 9, 10])
  t.same(await chunks.list('d'.repeat(32)), [])
  t.equal(await chunks.complete(old), undefined, 'chunks are missing')

  await age(join(storage.chunks, old), DAY)
  const asked: string[] = []
  const areJoined = async (keys: readonly string[]) => {
    asked.push(...keys)
    return new Set([joined])
  }
  t.equal(await sweep(storage, DAY, { ...none, joined: areJoined }, false), 2)
  t.same(asked.sort(), [old, young, joined], 'asked about all at once')
  t.same(await readdir(storage.chunks), [young])
  t.same(await readdir(storage.parts), [])
  t.ok(await put(old, 0), 'it may be tried again')
  t.match(await chunks.complete(old), [{ index: 0, size: 1 }])
  await mkdir(join(storage.chunks, 'x'))
  t.ok((await stat(join(storage.chunks, young, '10'))).isFile())
})
