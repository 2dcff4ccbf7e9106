/** Uploads and downloads beside plain `node:http`, and memory while large files arrive. */
import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { openAsBlob } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { residentBytes } from './lib/cluster.ts'
import { compare, type Comparison, type Slice } from './lib/compare.ts'
import { type Listening, startScript, startServer } from './lib/http.ts'
import { chunkForm, repeat, send } from './lib/uploads.ts'

const MEBIBYTE = 1024 * 1024
/** What the existing client has on the way at once. */
const AT_ONCE = 6
const CHUNKS = 32
const PICTURES = 200

/** Bytes of memory of the server while two files of 1 GiB arrive at once, and how they are joined. */
export interface LargeFiles {
  readonly before: number
  readonly most: number
  readonly after: number
  /** Seconds that each merge took. */
  readonly merges: readonly number[]
}

/** Measures chunks, pictures and, where asked for, large files. */
export async function measureFiles(
  databaseUrl: string,
  slices: number,
  large: boolean,
): Promise<{ paths: Comparison[]; largeFiles: LargeFiles | undefined }> {
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-bench-files-'))
  const ours = await startServer(databaseUrl, { UPLOAD_DIR: join(folder, 'uploads') })
  const floor = await startScript('bench/floors/files.ts', [folder])
  try {
    const chunks = await compare(
      databaseUrl,
      slices,
      { pid: ours.pid, slice: () => sendChunks(`${ours.http}/chat/file/private`) },
      { pid: floor.pid, slice: () => sendChunks(floor.http) },
    )
    const { size, url } = await uploadPicture(ours, folder)
    const pictures = await compare(
      databaseUrl,
      slices,
      { pid: ours.pid, slice: () => fetchPictures(ours.http + url, size) },
      { pid: floor.pid, slice: () => fetchPictures(`${floor.http}/picture.png`, size) },
    )
    return {
      paths: [
        { name: 'a picture of 100 KiB', target: 1.5, ...pictures },
        { name: 'a chunk of 1 MiB', target: 1.4, ...chunks },
      ],
      largeFiles: large ? await sendLargeFiles(ours) : undefined,
    }
  } finally {
    await ours.stop()
    await floor.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function sendChunks(url: string): Promise<Slice> {
  const chunk = randomBytes(MEBIBYTE)
  const fileHash = createHash('md5').update(chunk).digest('hex')
  const { wall, p99 } = await repeat(CHUNKS, AT_ONCE, async (index) => {
    const { body, headers } = chunkForm(fileHash, index, chunk)
    await sendExpecting(`"status":200`, url, body, headers)
  })
  return { pieces: CHUNKS, wall, p99 }
}

async function fetchPictures(url: string, size: number): Promise<Slice> {
  const { wall, p99 } = await repeat(PICTURES, AT_ONCE, async () => {
    const { length } = await send(url)
    if (length !== size) throw new Error(`a picture of ${length} bytes`)
  })
  return { pieces: PICTURES, wall, p99 }
}

async function uploadPicture({ http }: Listening, folder: string) {
  const path = join(folder, 'picture.png')
  await copyFile(new URL('../assets/group_pic.png', import.meta.url), path)
  await writeFile(path, randomBytes(100 * 1024), { flag: 'a' })
  const blob = await openAsBlob(path)
  const body = new FormData()
  body.append('file', blob, 'picture.png')
  const answer = await fetch(`${http}/upload/user`, { method: 'POST', body })
  const { url } = (await answer.json()) as { url: string }
  return { size: blob.size, url }
}

async function sendLargeFiles(server: Listening): Promise<LargeFiles> {
  const before = await residentBytes(server.pid)
  let most = before
  const watch = setInterval(() => {
    void residentBytes(server.pid).then((bytes) => (most = Math.max(most, bytes)))
  }, 50)
  const merges = await Promise.all([sendLargeFile(server), sendLargeFile(server)])
  clearInterval(watch)
  return { before, most, after: await residentBytes(server.pid), merges }
}

/** Sends 1 GiB as the client does; gives the seconds that joining it took. */
async function sendLargeFile({ http }: Listening): Promise<number> {
  const chunk = randomBytes(MEBIBYTE)
  const count = 1024
  const hash = createHash('md5')
  for (let index = 0; index < count; index += 1) {
    const sample = Buffer.concat([0, 524_288, MEBIBYTE - 2].map((at) => chunk.subarray(at, at + 2)))
    hash.update(index === 0 || index === count - 1 ? chunk : sample)
  }
  const fileHash = hash.digest('hex')
  await repeat(count, AT_ONCE, async (index) => {
    const { body, headers } = chunkForm(fileHash, index, chunk)
    await sendExpecting(`"status":200`, `${http}/chat/file/group`, body, headers)
  })
  const merge = Buffer.from(`fileHash=${fileHash}&fileName=large.bin`)
  const began = performance.now()
  await sendExpecting(`"url":"/${fileHash}.bin"`, `${http}/merge/group`, merge, {
    'content-type': 'application/x-www-form-urlencoded',
  })
  return (performance.now() - began) / 1000
}

async function sendExpecting(expected: string, ...request: Parameters<typeof send>): Promise<void> {
  const answer = (await send(...request)).toString()
  if (!answer.includes(expected)) throw new Error(`not as expected: ${answer.slice(0, 200)}`)
}
