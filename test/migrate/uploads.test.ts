/** The original's upload folders are taken over, and served under the addresses that they had. */
import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { serve } from '../contract/server.ts'
import { openSession } from '../../src/database/connection.ts'
import { openStorage, type Storage } from '../../src/files/storage.ts'
import { type Progress, silent } from '../../src/migrate/progress.ts'
import {
  describeUploads,
  hasAllUploads,
  takeOverUploads,
  verifyUploads,
} from '../../src/migrate/uploads.ts'
import { letter, oid, person, runCommand, Target, temporaryFolder, writeDump } from './support.ts'

const gif = Buffer.from('R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=', 'base64')
const md5 = (...parts: Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest('hex')

// Three pieces of 1 MiB, as the client samples them: the first and the last count whole.
const large = Buffer.alloc(3 * 2 ** 20 - 5, 'waif')
const [first, middle, last] = [0, 1, 2].map((n) => large.subarray(n * 2 ** 20, (n + 1) * 2 ** 20))
const samples = [0, 2 ** 19, 2 ** 20 - 2].map((at) => (middle ?? large).subarray(at, at + 2))
const sampled = md5(first ?? large, ...samples, last ?? large)

/** Takes over or verifies one folder, as the commands do. */
async function uploading(
  target: Target,
  work: typeof takeOverUploads,
  {
    storage,
    uploads,
    step,
  }: { storage: Storage; uploads: string; step?: Progress['step'] | undefined },
) {
  const db = await openSession(target.url, 'waifchat test')
  const progress = step === undefined ? silent : { ...silent, step }
  try {
    return await work({ db, storage, folders: [uploads], progress })
  } finally {
    await db.close()
  }
}

await t.test('uploads keep their addresses', async (t) => {
  const uploads = await temporaryFolder(t)
  const kept = await temporaryFolder(t)
  await mkdir(join(uploads, 'chat', 'chunks'), { recursive: true })
  const small = Buffer.from('console.log(1)')
  const contents: [path: string, content: Buffer][] = [
    ['1701695366668-黄鼠狼.gif', gif],
    [`chat/${md5(small)}.js`, small],
    [`chat/${sampled}.mp4`, large],
    [`chat/${'0'.repeat(32)}.zip`, Buffer.from('of another key, longer')],
    [`chat/chunks/${'1'.repeat(32)}-0`, Buffer.from('a chunk')],
    ['.DS_Store', Buffer.from('not an upload')],
  ]
  for (const [path, content] of contents) await writeFile(join(uploads, path), content)
  const file = { fileName: '索引.js', url: `/${md5(small)}.js` }
  const dump = await writeDump(t, {
    users: [
      { ...person(1), imgUrl: '/1701695366668-黄鼠狼.gif' },
      person(2),
      // Random, so that it cannot be compressed into an index either.
      { ...person(3), imgUrl: `data:image/png;base64,${randomBytes(9_000).toString('base64')}` },
    ],
    private_chats: [{ ...letter(30, oid(2), oid(1)), message: JSON.stringify(file), msgType: 3 }],
  })
  const target = await Target.create(t)
  const env = { UPLOAD_DIR: kept }
  const run = (command: 'import' | 'verify') =>
    runCommand(command, target.url, [dump, '--uploads', uploads], { env })
  const unfinished = `unfinished: ${join(uploads, 'chat/chunks', `${'1'.repeat(32)}-0`)}`

  const storage = await openStorage(kept, 0)
  const within = (work: typeof takeOverUploads) => uploading(target, work, { storage, uploads })
  const left = '2 left alone, 1 absent'
  t.equal(hasAllUploads(await within(verifyUploads)), false, 'nothing is there yet')
  const taken = await run('import')
  t.equal(taken.code, 0, taken.stderr)
  const hidden = `hidden: ${join(uploads, '.DS_Store')}`
  t.ok(taken.stdout.includes(`uploads: 4 taken over, 0 equal, ${left}\n${hidden}\n${unfinished}`))
  const again = describeUploads(await within(takeOverUploads))
  t.match(again, `uploads: 0 taken over, 4 equal, ${left}`)
  const verified = await run('verify')
  t.equal(verified.code, 0, verified.stdout)

  t.strictSame(
    await target.rows(`select original_name, kind, media_type, uploader_id, proven,
        upload_key is not null as keyed
      from files order by size_bytes`),
    [
      ['索引.js', 'chat_file', 'application/octet-stream', String(oid(2)), true, true],
      [`${'0'.repeat(32)}.zip`, 'chat_file', 'application/octet-stream', null, false, true],
      ['黄鼠狼.gif', 'user_avatar', 'image/gif', String(oid(1)), true, false],
      [`${sampled}.mp4`, 'chat_file', 'application/octet-stream', null, true, true],
    ].map(([original_name, kind, media_type, uploader_id, proven, keyed]) => ({
      ...{ original_name, kind, media_type, uploader_id, proven, keyed },
    })),
  )

  const client = (await serve(t, { DATABASE_URL: target.url, ...env })).client()
  for (const [path, content] of contents.slice(0, 4)) {
    const response = await fetch(`${client.http}/${encodeURI(path.replace('chat/', ''))}`)
    t.equal(response.status, 200, path)
    t.ok(content.equals(Buffer.from(await response.arrayBuffer())), path)
  }
  await writeFile(join(uploads, '1701695366668-黄鼠狼.gif'), 'another picture')
  const other = await within(verifyUploads)
  t.equal(hasAllUploads(other), false)
  t.match(describeUploads(other), /^different: .*黄鼠狼\.gif$/m)
})

await t.test('links, lost files and files that nobody has are named', async (t) => {
  const [uploads, kept] = [await temporaryFolder(t), await temporaryFolder(t)]
  const outside = await temporaryFolder(t)
  await writeFile(join(outside, 'secret.txt'), 'of the machine, not of the chat')
  await symlink(join(outside, 'secret.txt'), join(uploads, 'link.txt'))
  await symlink(outside, join(uploads, 'linked'))
  for (const name of ['1-a.gif', '2-lost.gif', '3-torn.gif']) {
    await writeFile(join(uploads, name), gif)
  }
  const target = await Target.create(t)
  await target.import(
    await writeDump(t, {
      users: [
        { ...person(1), imgUrl: '/1-a.gif' },
        { ...person(2), imgUrl: '/9-nowhere.gif' },
        { ...person(3), imgUrl: '/user_pic1.jpeg' },
        { ...person(4), imgUrl: 'https://pictures.example/4.gif' },
      ],
    }),
  )
  const storage = await openStorage(kept, 0)
  const run = (work: typeof takeOverUploads, step?: Progress['step']) =>
    uploading(target, work, { storage, uploads, step })
  const left = [
    `no-file: ${join(uploads, 'link.txt')}`,
    `no-file: ${join(uploads, 'linked')}`,
    'absent: 9-nowhere.gif',
  ]
  const said = (counts: string) => [`uploads: ${counts}, 1 absent`, ...left].join('\n')
  t.equal(describeUploads(await run(takeOverUploads)), said('3 taken over, 0 equal, 2 left alone'))
  t.notOk((await readdir(kept)).includes('link.txt'))

  await rm(join(kept, '2-lost.gif'))
  await writeFile(join(kept, '3-torn.gif'), 'GIF8')
  const damaged = await run(verifyUploads)
  t.strictSame(
    damaged.others.filter(({ why }) => why === 'missing').map(({ path }) => path),
    ['2-lost.gif', '3-torn.gif'].map((name) => join(uploads, name)),
  )
  t.equal(hasAllUploads(damaged), false)
  t.equal(describeUploads(await run(takeOverUploads)), said('2 taken over, 1 equal, 2 left alone'))
  for (const name of ['2-lost.gif', '3-torn.gif']) {
    t.ok(gif.equals(await readFile(join(kept, name))), name)
  }
  t.equal((await target.rows('select from files')).length, 3)

  await Promise.all(['link.txt', 'linked'].map((name) => rm(join(uploads, name))))
  t.equal(hasAllUploads(await run(verifyUploads)), true, 'what the original lost is no loss')
  // It vanishes after the folder was read.
  const vanished = await run(verifyUploads, () => {
    rmSync(join(uploads, '1-a.gif'))
  })
  t.strictSame(vanished.others, [{ path: join(uploads, '1-a.gif'), why: 'unreadable' }])
})
