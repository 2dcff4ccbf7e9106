import t from 'tap'
import { randomInt } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { download, filesBelow, randomFile, sendChunks, type CutFile } from './files-support.ts'
import { at } from './json.ts'
import { serve } from './server.ts'

const MEBIBYTE = 1024 * 1024
/** `npm run test:merges` kills 30 times. */
const KILLS = Number(process.env.MERGE_KILLS ?? 3)

t.setTimeout(600_000)

await t.test('a server that is killed while it merges', { timeout: 590_000 }, async (t) => {
  const uploads = join(t.testdir({}), 'up')
  const server = await serve(t, { UPLOAD_DIR: uploads })
  const client = server.client()
  const merge = ({ hash }: CutFile) =>
    client.post('/merge/private', { fileHash: hash, fileName: 'a.bin' })
  const fresh = async () => {
    const file = randomFile(24 * MEBIBYTE + 1)
    await sendChunks(client, file)
    return file
  }

  // How long a merge takes here, so that the kills hit all of it.
  let took = 0
  const mergeWhole = async (file: CutFile) => {
    const began = performance.now()
    const { body } = await merge(file)
    took = Math.ceil(performance.now() - began)
    t.match(body, { status: 200, url: `/${file.hash}.bin` })
  }
  await mergeWhole(await fresh())
  await mergeWhole(await fresh())

  let file = await fresh()
  const seen = { absent: 0, whole: 0 }
  for (let kill = 0; kill < KILLS; kill += 1) {
    const merging = merge(file).catch(() => undefined)
    await sleep(randomInt(took))
    await server.restart('SIGKILL')
    await merging

    const { status, bytes } = await download(client, `/${file.hash}.bin`)
    const onDisk = await stat(join(uploads, `${file.hash}.bin`)).catch(() => undefined)
    if (status === 404) {
      seen.absent += 1
      t.equal(onDisk, undefined, 'a file that is absent is not on the disk')
    } else {
      seen.whole += 1
      t.same([status, onDisk?.size], [200, file.bytes.length])
      if (!t.ok(bytes.equals(file.bytes), 'a file that is there is whole')) break
    }
    const verified = await client.post('/verify/private', { fileHash: file.hash, fileName: 'a' })
    t.equal(at(verified.body, 'data', 'shouldUpload'), status === 404)
    t.same(
      (await filesBelow(uploads)).filter((path) => path.startsWith('.parts')),
      [],
      'leftovers are swept',
    )
    if (status === 404 && kill % 3 !== 0) continue
    await mergeWhole(file)
    const again = await download(client, `/${file.hash}.bin`)
    t.ok(again.bytes.equals(file.bytes), 'merging again works')
    file = await fresh()
  }
  t.comment(`absent ${seen.absent} times, whole ${seen.whole} times`)
  t.equal(seen.absent + seen.whole, KILLS)
  await mergeWhole(file)
})
