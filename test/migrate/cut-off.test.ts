/** An import is killed again and again, and taken up again. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ObjectId } from 'bson'
import fc from 'fast-check'
import t from 'tap'
import { SEED } from '../helpers/random.ts'
import {
  type Collections,
  friend,
  letter,
  oid,
  person,
  runCommand,
  Target,
  unsound,
  writeDump,
} from './support.ts'

const CUTS = 4

const people = Array.from({ length: 200 }, (_, n) => person(n + 1))
const ids = people.map(({ _id }) => _id as ObjectId)
const at = (n: number) => ids[n % ids.length] as ObjectId
const dump: Collections = {
  users: people,
  friends: ids.flatMap((id, n) => [
    friend(1000 + 2 * n, id, at(n + 1)),
    friend(1001 + 2 * n, at(n + 1), id),
  ]),
  private_chats: Array.from({ length: 12_000 }, (_, n) =>
    letter(10_000 + n, at(n), at(n + 1), Number(n % 7 > 0)),
  ),
  groups: ids.map((userId, n) => ({
    ...{ _id: oid(200_000 + n), userId, groupName: '群', groupNumber: n + 1, imgUrl: '/g.png' },
  })),
  group_users: ids.map((_, n) => ({
    ...{ _id: oid(210_000 + n), groupId: oid(200_000 + n), userId: at(n + (n % 2)), state: 1 },
  })),
  notes: Array.from({ length: 2_000 }, (_, n) => ({
    ...{ _id: oid(100_000 + n), userId: at(n), text: '记', __v: 0 },
  })),
}
const total = Object.values(dump).flat().length

/** Everything but what numbers itself: conversations and positions. */
const content = [
  'select * from users order by id',
  'select * from notes order by id',
  'select id, state, start_seq, read_seq, sent_total, sent_when_read from friendships order by id',
  'select * from groups order by id',
  'select * from group_members order by id',
  'select id, sender_id, seq, body, kind, sent_at from messages order by id',
  'select collection, id, digest, read, mended, remainder from imported_documents order by 1, 2',
  'select low_user_id, high_user_id, last_seq from conversations order by 1, 2',
].map((text) => `select md5(string_agg(x::text, chr(10))) from (${text}) x`)

async function imported(target: Target): Promise<number> {
  const [row] = await target.rows('select count(*)::int as number from imported_documents')
  return Number(row?.['number'])
}

/** Resolves when more than so many documents are imported, and a moment has passed. */
async function reached(target: Target, number: number, moment: number): Promise<void> {
  while ((await imported(target)) <= number) await pause(10)
  await pause(moment)
}

await t.test('what an import left is whole, and the next one ends it', async (t) => {
  const folder = await writeDump(t, dump)
  const whole = await Target.create(t)
  await whole.import(folder)
  const cut = await Target.create(t)
  const cuts = fc
    .sample(fc.tuple(fc.nat(total - 2), fc.nat(49)), { seed: SEED, numRuns: CUTS })
    .sort(([one], [other]) => one - other)
  t.comment(
    `seed ${SEED}: cut off at ${String(cuts.map(([point]) => point))} of ${total} documents`,
  )
  for (const [point, moment] of cuts) {
    const before = await imported(cut)
    if (before >= total) break
    const killed = reached(cut, Math.max(point, before), moment)
    await runCommand('import', cut.url, [folder], { killed })
    t.strictSame(await cut.rows(unsound), [])
    t.strictSame(await cut.rows('select * from health_problems'), [])
  }
  const { code, stderr } = await runCommand('import', cut.url, [folder])
  t.equal(code, 0, stderr)
  for (const query of content) t.strictSame(await cut.rows(query), await whole.rows(query), query)
  t.equal((await cut.verify(folder)).passed, true)
  t.strictSame(await cut.rows('select count(*)::int as runs from imports'), [{ runs: 1 }])
})
