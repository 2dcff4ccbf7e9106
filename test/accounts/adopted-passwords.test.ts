import { createHash } from 'node:crypto'
import bcrypt from 'bcryptjs'
import t from 'tap'
import { createPasswords, isOutdated, passwordForm } from '../../src/accounts/passwords.ts'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const passwords = createPasswords()

await t.test('a plain text is never kept', async (t) => {
  const kept = await passwords.adopt('secret')
  t.match(kept, /^\$argon2id\$v=19\$m=19456,p=1,t=2\$|^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.equal(await passwords.verify(kept, 'secret'), true)
  t.equal(await passwords.verify(kept, 'Secret'), false)
  t.equal(isOutdated(kept), false)
})

await t.test('an MD5 is kept inside an argon2id until the next login', async (t) => {
  for (const original of [md5('secret'), md5('secret').toUpperCase()]) {
    const kept = await passwords.adopt(original)
    t.match(kept, /^md5:\$argon2id\$/)
    t.notOk(kept.includes(md5('secret')))
    t.equal(await passwords.verify(kept, 'secret'), true)
    t.equal(await passwords.verify(kept, 'wrong'), false)
    t.equal(await passwords.verify(kept, md5('secret')), false, 'the MD5 itself is no password')
    t.equal(isOutdated(kept), true)
    t.equal(await passwords.adopt(kept), kept, 'what we made ourselves stays as it is')
  }
})

await t.test('a bcrypt is kept as it is until the next login', async (t) => {
  for (const prefix of ['$2a$', '$2b$', '$2y$']) {
    const original = (await bcrypt.hash('secret', 4)).replace(/^\$2.\$/, prefix)
    t.equal(await passwords.adopt(original), original)
    t.equal(await passwords.verify(original, 'secret'), true)
    t.equal(await passwords.verify(original, 'wrong'), false)
    t.equal(isOutdated(original), true)
  }
})

await t.test('nobody logs in where there is no password', async (t) => {
  t.equal(await passwords.adopt('!'), '!')
  t.equal(await passwords.verify('!', '!'), false)
  t.equal(await passwords.verify('!', ''), false)
})

await t.test('what looks like a hash and is none is a plain text', async (t) => {
  for (const original of ['$2b$10$short', md5('x').slice(1), 'md5:x', '$argon2id$', `${md5('x')} `])
    t.equal(passwordForm(original), 'plain', original)
})
