/** The original's upload folders are taken over, and served under the addresses that they had. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { serve } from '../contract/server.ts'
import { letter, oid, person, runCommand, Target, temporaryFolder, writeDump } from './support.ts'

const gif = Buffer.from('R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=', 'base64')
const md5 = (...parts: Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest('hex')

// Three pieces of 1 MiB, as the client samples them: the first and the last count whole.
const large = Buffer.alloc(3 * 2 ** 20 - 5, 'waif')
const [first, middle, last] = [0, 1, 2].map((n) => large.subarray(n * 2 ** 20, (n + 1) * 2 ** 20))
const samples = [0, 2 ** 19, 2 ** 20 - 2].map((at) => (middle ?? large).subarray(at, at + 2))
const sampled = md5(first ?? large, ...samples, last ?? large)

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

  const before = await run('verify')
  t.equal(before.code, 1, 'nothing is there yet')
  const taken = await run('import')
  t.equal(taken.code, 0, taken.stderr)
  t.ok(taken.stdout.includes(`uploads: 4 taken over, 0 equal, 1 left alone\n${unfinished}`))
  const again = await run('import')
  t.ok(again.stdout.includes('uploads: 0 taken over, 4 equal, 1 left alone'), again.stdout)
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
  const other = await run('verify')
  t.equal(other.code, 1)
  t.match(other.stdout, /^different: .*黄鼠狼\.gif$/m)
})
