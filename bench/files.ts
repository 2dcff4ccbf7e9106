/**
 * Uploads and downloads, side by side with a bare `node:http` server in the same run:
 * `node --import tsx bench/files.ts`. Linux only; takes about three minutes and 5 GiB of disk.
 */
import { createHash, randomBytes } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../src/database/embedded.ts'
import { chunkForm, send } from './lib/uploads.ts'
import { cpuTime, memory, type Program, startProgram } from './lib/processes.ts'
import { alternate, repeat } from './lib/rounds.ts'

const MEBIBYTE = 1024 * 1024
const ROUNDS = 7
const CHUNKS = 192
const PICTURES = 2000

const folder = await mkdtemp(join(tmpdir(), 'waifchat-bench-'))
const database = await startEmbedded({ dataDir: join(folder, 'database') })
const uploads = join(folder, 'uploads')
const address = /^HTTP\s+(\S+)$/
const programs: Program[] = []
try {
  const server = await startProgram('src/main.ts', address, {
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'data'),
    UPLOAD_DIR: uploads,
    PORT: '0',
    SOCKET_PORT: '0',
    LOG_LEVEL: 'warn',
  })
  programs.push(server)
  const bare = await startProgram('bench/floors/files.ts', address, { BENCH_FOLDER: folder })
  programs.push(bare)

  await uploadOfChunks(server, bare)
  await downloadOfPictures(server, bare)
  await memoryOfLargeFiles(server)
} finally {
  for (const program of programs) await program.stop()
  await database.stop()
  await rm(folder, { recursive: true, force: true })
}

function report(what: string, ours: number, floor: number): void {
  const ratio = (ours / floor).toFixed(2)
  console.log(`${what}: ${ours.toFixed(0)} µs CPU, bare ${floor.toFixed(0)} µs, ratio ${ratio}`)
}

/** CPU that a program uses for each of some pieces of work. */
async function cpuOf(program: Program, times: number, work: (index: number) => Promise<void>) {
  const before = cpuTime(program.pid)
  await repeat(times, 6, work)
  return (cpuTime(program.pid) - before) / times
}

async function uploadOfChunks(server: Program, bare: Program): Promise<void> {
  const chunk = randomBytes(MEBIBYTE)
  let files = 0
  const to = (program: Program, path: string) => async () => {
    const fileHash = createHash('md5').update(String(files++)).digest('hex')
    return cpuOf(program, CHUNKS, async (index) => {
      const { body, headers } = chunkForm(fileHash, index, chunk)
      await send(program.said + path, body, headers)
    })
  }
  const [ours = NaN, floor = NaN] = await alternate(
    ROUNDS,
    to(server, '/chat/file/private'),
    to(bare, '/'),
  )
  report('upload of a chunk of 1 MiB', ours, floor)
}

async function downloadOfPictures(server: Program, bare: Program): Promise<void> {
  const picture = join(folder, 'picture.png')
  await copyFile('assets/group_pic.png', picture)
  await writeFile(picture, randomBytes(100 * 1024), { flag: 'a' })
  const form = new FormData()
  const bytes = await openAsBlob(picture)
  form.append('file', bytes, 'picture.png')
  const answer = await fetch(`${server.said}/upload/user`, { method: 'POST', body: form })
  const { url } = (await answer.json()) as { url: string }
  const from = (program: Program, path: string) => () =>
    cpuOf(program, PICTURES, async () => {
      const { length } = await send(program.said + path)
      if (length !== bytes.size) throw new Error(`a picture of ${length} bytes`)
    })
  const [ours = NaN, floor = NaN] = await alternate(
    ROUNDS,
    from(server, url),
    from(bare, '/picture.png'),
  )
  report('download of a picture of 100 KiB', ours, floor)
}

async function memoryOfLargeFiles(server: Program): Promise<void> {
  const start = memory(server.pid)
  let most = start
  const timer = setInterval(() => (most = Math.max(most, memory(server.pid))), 50)
  await Promise.all([sendLargeFile(server), sendLargeFile(server)])
  clearInterval(timer)
  const [before, peak, after] = [start, most, memory(server.pid)].map((bytes) =>
    (bytes / MEBIBYTE).toFixed(0),
  )
  console.log(`two files of 1 GiB at once: ${before} MiB before, ${peak} at most, ${after} after`)
}

async function sendLargeFile(server: Program): Promise<void> {
  const chunk = randomBytes(MEBIBYTE)
  const count = 1024
  const hash = createHash('md5')
  for (let index = 0; index < count; index += 1) {
    const sample = Buffer.concat([0, 524_288, MEBIBYTE - 2].map((at) => chunk.subarray(at, at + 2)))
    hash.update(index === 0 || index === count - 1 ? chunk : sample)
  }
  const fileHash = hash.digest('hex')
  await repeat(count, 6, async (index) => {
    const { body, headers } = chunkForm(fileHash, index, chunk)
    await send(`${server.said}/chat/file/group`, body, headers)
  })
  const began = performance.now()
  const merged = await send(
    `${server.said}/merge/group`,
    Buffer.from(`fileHash=${fileHash}&fileName=large.bin`),
    { 'content-type': 'application/x-www-form-urlencoded' },
  )
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`merge of 1 GiB: ${seconds} s, ${merged.toString()}`)
}
