import { isBirthday, zodiacSign } from '../../accounts/birthdays.ts'
import { sexFromWord, sexWord } from '../../accounts/documents.ts'
import { passwordForm } from '../../accounts/passwords.ts'
import { type Queryable, statement } from '../../database/connection.ts'
import type { User } from '../../database/schema.ts'
import { type Candidate, accepted, refuse } from '../candidates.ts'
import { type Document, objectId, whole } from '../extended-json.ts'
import { adopted, isRemembered, MASK, remembered, UNUSABLE } from '../passwords.ts'
import type { Reader } from '../reader.ts'
import { Rejection } from '../rules.ts'
import type { Run } from '../run.ts'
import { isDate, timeOfId } from '../times.ts'
import type { Translation } from '../translation.ts'

const NOBODY = '0'.repeat(24)
const DEFAULT_PICTURE = '/user_pic1.jpeg'
const DEFAULT_SIGN = '这个人很高冷, 暂时没有留下什么'

export type UserRow = Omit<User, 'waifCode'>

const found = statement<
  [
    id: string,
    phone: string,
    passwordHash: string,
    nick: string,
    avatarUrl: string,
    sex: User['sex'],
    birthday: string | null,
    sign: string,
    createdAt: Date,
  ]
>(
  'import_find_users',
  `select id, phone, password_hash, nick, avatar_url, sex, birthday, sign, created_at
  from users where id = any ($1::text[])`,
)
const stored = statement(
  'import_store_users',
  `insert into users
    (id, phone, password_hash, nick, avatar_url, sex, birthday, sign, created_at)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
    $6::user_sex[], $7::date[], $8::text[], $9::timestamptz[])
  on conflict (id) do update set phone = excluded.phone,
    password_hash = coalesce(nullif(excluded.password_hash, ''), users.password_hash),
    nick = excluded.nick, avatar_url = excluded.avatar_url, sex = excluded.sex,
    birthday = excluded.birthday, sign = excluded.sign, created_at = excluded.created_at`,
)
const owners = statement<[phone: string, id: string]>(
  'import_phone_owners',
  'select phone, id from users where phone = any ($1::text[])',
)

/** People. Their passwords are taken over by `resolve`; an empty hash leaves what there is. */
export const users: Translation<UserRow> = {
  collection: 'users',
  details: ['createdAt'],
  page: statement('import_page_users', 'select id from users where id > $1 order by id limit $2'),

  read(reader) {
    const phone = readPhone(reader)
    const code = reader.value('WaiFCode')
    if (code != null && code !== `WaiFCode_${phone}`) reader.mended.add('code-from-phone')
    const nick = reader.name('nick', 15, `用户${phone.slice(-4)}`, {
      cut: 'nick-cut',
      given: 'nick-given',
    })
    const birthday = readBirthday(reader)
    const start = reader.value('start')
    if (start != null && start !== zodiacSign(birthday)) reader.mended.add('start-from-birthday')
    return {
      id: reader.id,
      phone,
      passwordHash: '',
      nick,
      avatarUrl: reader.picture('imgUrl', DEFAULT_PICTURE),
      sex: readSex(reader),
      birthday,
      sign: reader.cut(reader.text('sign') ?? DEFAULT_SIGN, 50, 'sign-cut'),
      createdAt: reader.detailedTime('createdAt') ?? timeOfId(reader.id),
    }
  },

  render: (row) => ({
    _id: objectId(row.id),
    phone: row.phone,
    password: MASK,
    WaiFCode: `WaiFCode_${row.phone}`,
    nick: row.nick,
    imgUrl: row.avatarUrl,
    sex: sexWord(row.sex),
    birthday: row.birthday ?? '',
    start: zodiacSign(row.birthday),
    sign: row.sign,
    __v: whole(0),
  }),

  async resolve(run, candidates) {
    await refuseTakenPhones(run.db, candidates)
    await Promise.all(accepted(candidates).map((candidate) => takePassword(run, candidate)))
  },

  async store(db, rows) {
    await db.run(stored, [
      rows.map(({ id }) => id),
      rows.map(({ phone }) => phone),
      rows.map(({ passwordHash }) => passwordHash),
      rows.map(({ nick }) => nick),
      rows.map(({ avatarUrl }) => avatarUrl),
      rows.map(({ sex }) => sex),
      rows.map(({ birthday }) => birthday),
      rows.map(({ sign }) => sign),
      rows.map(({ createdAt }) => createdAt),
    ])
  },

  async find(db, ids) {
    const rows = await db.run(found, [ids])
    return rows.map(
      ([id, phone, passwordHash, nick, avatarUrl, sex, birthday, sign, createdAt]) => ({
        ...{ id, phone, passwordHash, nick, avatarUrl, sex, birthday, sign, createdAt },
      }),
    )
  },
}

/** The document with its hash, as an export writes it. */
export function withStoredHash(document: Document, row: UserRow): Document {
  return Object.hasOwn(document, 'password')
    ? { ...document, password: row.passwordHash }
    : document
}

function readPhone(reader: Reader): string {
  const text = reader.text('phone') ?? ''
  // Exports have the one who stands for everybody erased; nobody can ever log in as that.
  if (reader.id === NOBODY && text === 'erased') return text
  const phone = text.replaceAll(/[\s-]/g, '').replace(/^(\+|00)?86(?=1\d{10}$)/, '')
  if (!/^1[3-9]\d{9}$/.test(phone)) throw new Rejection('phone-unusable', text.slice(0, 50))
  if (phone !== text) reader.mended.add('phone-tidied')
  return phone
}

function readSex(reader: Reader): User['sex'] {
  const sex = sexFromWord(reader.text('sex') ?? sexWord('unknown'))
  if (sex === undefined) reader.mended.add('sex-unknown')
  return sex ?? 'unknown'
}

function readBirthday(reader: Reader): string | null {
  const text = (reader.text('birthday') ?? '').trim()
  if (text === '' || isBirthday(text)) return text === '' ? null : text
  const [, year, month, day] = /^(\d{4})\D(\d{1,2})\D(\d{1,2})(\D|$)/.exec(text) ?? []
  const tidy = `${year}-${month?.padStart(2, '0')}-${day?.padStart(2, '0')}`
  const known = isDate(Number(year), Number(month), Number(day)) && isBirthday(tidy)
  reader.mended.add(known ? 'birthday-tidied' : 'birthday-dropped')
  return known ? tidy : null
}

/** The ids of those who have some numbers here, by number. */
export async function phoneOwners(
  db: Queryable,
  phones: readonly string[],
): Promise<Map<string, string>> {
  return new Map(await db.run(owners, [phones]))
}

/** Of several people with one number the one who came first has it. */
async function refuseTakenPhones(db: Queryable, candidates: Candidate<UserRow>[]): Promise<void> {
  const checked = accepted(candidates)
  const taken = await phoneOwners(
    db,
    checked.map(({ row }) => row.phone),
  )
  for (const candidate of checked) {
    const { id, phone } = candidate.row
    const owner = taken.get(phone) ?? id
    taken.set(phone, owner)
    if (owner !== id) refuse(candidate, 'phone-taken', owner)
  }
}

async function takePassword(run: Run, candidate: Candidate<UserRow>): Promise<void> {
  const { password } = candidate.source
  const form = password === undefined ? undefined : passwordForm(password)
  const isUnusable = candidate.reader.value('password') === UNUSABLE
  if (isUnusable) candidate.reader.mended.add('password-unusable')
  else if (form === undefined) candidate.reader.mended.add('password-missing')
  if (form === 'plain') candidate.reader.mended.add('password-plain')
  if (form === 'md5') candidate.reader.mended.add('password-md5')
  // A login here may have replaced the hash of the same password by a stronger one.
  const memory = candidate.known?.remainder?.password
  if (memory !== undefined && (await isRemembered(password, memory, run.passwords))) {
    candidate.password = memory
    return
  }
  const passwordHash = await adopted(password, run.passwords)
  candidate.row = { ...candidate.row, passwordHash }
  candidate.password = remembered(password, passwordHash)
}
