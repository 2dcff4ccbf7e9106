/** Large documents: memory is bounded by bytes, not by the number of documents. */
import { join } from 'node:path'
import t from 'tap'
import { type Piece } from '../../src/migrate/dump/dump.ts'
import { BATCH_BYTES, readBatches } from '../../src/migrate/dump/batches.ts'
import { findDump } from '../../src/migrate/dump/dump.ts'
import {
  friend,
  letter,
  oid,
  person,
  runCommand,
  Target,
  temporaryFolder,
  writeDump,
} from './support.ts'

const MIB = 1024 * 1024
const cover = `data:image/png;base64,${'iVBORw0KGgo'.repeat(MIB / 11)}`
const video = (n: number) => ({
  ...letter(n, oid(1), oid(2)),
  ...{ msgType: 2, message: JSON.stringify({ url: `/${n}.mp4`, cover }) },
})

await t.test('a batch ends with its number or with its bytes', async (t) => {
  const folder = await writeDump(t, {
    notes: Array.from({ length: 50 }, (_, n) => ({ _id: oid(n), text: 'x'.repeat(MIB) })),
    spaces: Array.from({ length: 50 }, (_, n) => ({ _id: oid(n) })),
  })
  const reading = { onBytes: () => undefined, onDamage: (why: string) => t.fail(why) }
  for (const file of await findDump(folder)) {
    const batches: Piece[][] = []
    for await (const batch of readBatches(file, 20, reading)) batches.push(batch)
    t.equal(batches.flat().length, 50)
    const most = file.name === 'notes' ? Math.ceil(BATCH_BYTES / MIB) : 20
    t.equal(Math.max(...batches.map(({ length }) => length)), most, file.name)
  }
})

await t.test('many large messages go in, out and in again in little memory', async (t) => {
  const folder = await writeDump(t, {
    users: [person(1), person(2)],
    friends: [friend(11, oid(1), oid(2)), friend(12, oid(2), oid(1))],
    private_chats: Array.from({ length: 30 }, (_, n) => video(100 + n)),
    videos: Array.from({ length: 30 }, (_, n) => ({ _id: oid(n), cover })),
  })
  const env = { NODE_OPTIONS: '--max-old-space-size=128' }
  const target = await Target.create(t)
  const exported = join(await temporaryFolder(t), 'out')
  for (const [command, where] of [
    ['import', folder],
    ['import', folder],
    ['verify', folder],
    ['export', exported],
    ['verify', exported],
  ] as const) {
    const { code, stderr } = await runCommand(command, target.url, [where], { env })
    t.equal(code, 0, `${command} ${stderr.slice(-500)}`)
  }
  const [row] = await target.rows('select count(*)::int, min(octet_length(body)) from messages')
  t.equal(row?.['count'], 30)
  t.ok(Number(row?.['min']) > MIB)
})
