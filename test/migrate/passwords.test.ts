/** Passwords are stored as hashes alone, wherever a dump has them, and go on working. */
import { createHash } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import bcrypt from 'bcryptjs'
import { BSON, Decimal128, Double, Long } from 'bson'
import t from 'tap'
import { serve } from '../contract/server.ts'
import { oid, person, Target, writeDump } from './support.ts'

/** Everything that the database holds, as text. */
async function everything(target: Target): Promise<string> {
  const tables = ['users', 'imported_documents', 'quarantine', 'imports']
  const rows = await Promise.all(
    tables.map((table) => target.rows(`select x::text as row from ${table} x`)),
  )
  return rows
    .flat()
    .map(({ row }) => String(row))
    .join('\n')
}

await t.test('nothing called like a password is kept as it was', async (t) => {
  const mapping = { fields: { users: { nick: 'nickname', password: 'geheim' } } }
  const { nick, password, ...rest } = person(1)
  const folder = await writeDump(t, {
    users: [
      { ...rest, nick, nickname: '两个', geheim: 'secret-mapped' },
      { ...rest, nick, nickname: '两个', _id: oid(3), password: 'secret-twice' },
      { ...rest, _id: oid(2), nickname: nick, geheim: password, oldPassword: 'secret-old' },
    ],
    notes: [{ _id: oid(9), userId: oid(2), text: '记', pwd: Long.fromString('8675309123') }],
    users_backup: [
      { _id: 1, user: { password: 'secret-nested' }, list: [{ new_pass: 'secret-listed' }] },
      { _id: 2, Password: 'secret-capital', passwd: ['secret-array'], geheim: 'secret-there' },
      { _id: 3, PWD: { value: 'secret-object' }, password: 8_675_309_123 },
    ],
  })
  // A name that is no UTF-8 makes the document unreadable.
  const torn = Buffer.from(
    BSON.serialize({
      ...{ nick: 'n\u00e9', geheim: 'secret-torn', passwd: Long.fromString('8675309123') },
      ...{ password: ['secret-torn-array'] },
    }),
  )
  torn[torn.indexOf('\u00e9')] = 0xff
  await appendFile(join(folder, 'users.bson'), torn)
  const target = await Target.create(t)
  await target.import(folder, mapping)
  const text = await everything(target)
  t.notMatch(text, /secret|8675309123/)
  const [broken] = await target.rows(
    `select document -> '$binary' ->> 'base64' as bytes
    from (select document_text::json as document from quarantine where reason = 'not-decodable') q`,
  )
  const bytes = Buffer.from(String(broken?.['bytes']), 'base64')
  t.notOk(bytes.includes('secret'), bytes.toString('latin1'))
  t.notOk(bytes.includes(Buffer.from(Long.fromString('8675309123').toBytesLE())))
  t.ok(bytes.includes('nick'), 'the rest of it is kept')
  const verification = await target.verify(folder, mapping)
  t.equal(verification.passed, true, verification.toString())
})

await t.test('every form of password logs in, and is argon2id afterwards', async (t) => {
  const md5 = createHash('md5').update('secret').digest('hex')
  const forms: [original: unknown, typed: string][] = [
    ['plain text', 'plain text'],
    [md5, 'secret'],
    [md5.toUpperCase(), 'secret'],
    [await bcrypt.hash('other', 4), 'other'],
    [123_456, '123456'],
    [new Double(654_321), '654321'],
    [Long.fromString('12345678901234567'), '12345678901234567'],
    [Decimal128.fromString('987654'), '987654'],
  ]
  const folder = await writeDump(t, {
    users: forms.map(([password], n) => ({ ...person(n + 1), password })),
  })
  const target = await Target.create(t)
  await target.import(folder)
  const client = (await serve(t, { DATABASE_URL: target.url })).client()
  for (const [n, [, password]] of forms.entries()) {
    const phone = String(person(n + 1)['phone'])
    for (const [typed, answer] of [
      ['wrong one', '密码错误'],
      [password, '登录成功'],
    ] as const) {
      const response = await fetch(`${client.http}/login`, {
        method: 'POST',
        body: new URLSearchParams({ phone, password: typed }),
      })
      const { msg } = (await response.json()) as { msg: string }
      t.equal(msg, answer, `${phone} ${typed}`)
    }
  }
  const rows = await target.rows('select password_hash as hash from users')
  t.equal(rows.length, forms.length)
  for (const { hash } of rows) t.match(hash, /^\$argon2id\$/)
})
