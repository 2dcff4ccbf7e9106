import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { BSON, EJSON, ObjectId } from 'bson'
import { createPasswords } from '../../src/accounts/passwords.ts'
import { openSession, type Session } from '../../src/database/connection.ts'
import { findDump } from '../../src/migrate/dump/dump.ts'
import { exportDocuments } from '../../src/migrate/exporting.ts'
import { importDump } from '../../src/migrate/importing.ts'
import { createMapping } from '../../src/migrate/mapping.ts'
import { silent } from '../../src/migrate/progress.ts'
import { Report } from '../../src/migrate/report.ts'
import { verifyDump } from '../../src/migrate/verifying.ts'
import { wireTimes } from '../../src/wire/times.ts'
import { createTestDatabase, execute } from '../helpers/databases.ts'

interface Test {
  teardown(handler: () => Promise<void>): void
}

/** A document as MongoDB has it. */
export type MongoDocument = Record<string, unknown>
/** The collections of a database of the original. */
export type Collections = Record<string, MongoDocument[]>
export type Format = 'bson' | 'bson.gz' | 'json' | 'json.gz'

export async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-migrate-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes what mongodump (bson) or mongoexport (json) writes; gives the folder. */
export async function writeDump(
  t: Test,
  collections: Collections,
  format: Format = 'bson',
): Promise<string> {
  const folder = await temporaryFolder(t)
  for (const [name, documents] of Object.entries(collections)) {
    const content = format.startsWith('bson')
      ? Buffer.concat(documents.map((one) => BSON.serialize(one)))
      : Buffer.from(documents.map((one) => `${EJSON.stringify(one)}\n`).join(''))
    const bytes = format.endsWith('gz') ? gzipSync(content) : content
    await writeFile(join(folder, `${name}.${format}`), bytes)
  }
  return folder
}

/** The files of an export. */
export async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return Object.fromEntries(names.map((name, n) => [name, texts[n] ?? '']))
}

/** What a command of the migration said and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one of the commands as `npm run` does; SIGKILL ends it when `killed` resolves. */
export function runCommand(
  command: 'import' | 'verify' | 'export',
  databaseUrl: string,
  args: readonly string[],
  { env = {}, killed }: { env?: NodeJS.ProcessEnv; killed?: Promise<unknown> } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', `src/migrate/${command}.ts`, ...args], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, DATABASE_URL: databaseUrl, ...env },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  void killed?.then(() => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
}

const ZONE = 'Asia/Shanghai'
const passwords = createPasswords(4)

/** A database into which a test imports, each time in a session of its own. */
export class Target {
  readonly url: string

  private constructor(url: string) {
    this.url = url
  }

  /** One that is there already. */
  static at(url: string): Target {
    return new Target(url)
  }

  static async create(t: Test): Promise<Target> {
    const database = await createTestDatabase()
    t.teardown(() => database.drop())
    return new Target(database.url)
  }

  import(folder: string, mapping: unknown = {}, zone = ZONE): Promise<Report> {
    return this.#use(async (db) => importDump(await this.#job(db, folder, mapping, zone), folder))
  }

  verify(folder: string, mapping: unknown = {}, zone = ZONE) {
    return this.#use(async (db) => verifyDump(await this.#job(db, folder, mapping, zone)))
  }

  export(folder: string, mapping: unknown = {}, zone = ZONE): Promise<Map<string, number>> {
    const times = wireTimes(zone)
    return this.#use((db) =>
      exportDocuments({ db, times, mapping: createMapping(mapping), folder }),
    )
  }

  /** Rows of a query. */
  async rows(text: string): Promise<Record<string, unknown>[]> {
    return (await execute(this.url, text)).rows as Record<string, unknown>[]
  }

  async #job(db: Session, folder: string, mapping: unknown, zone: string) {
    return {
      ...{ db, times: wireTimes(zone), passwords, progress: silent, report: new Report() },
      mapping: createMapping(mapping),
      files: await findDump(folder),
    }
  }

  async #use<Result>(work: (db: Session) => Promise<Result>): Promise<Result> {
    const db = await openSession(this.url, 'waifchat test')
    try {
      return await work(db)
    } finally {
      await db.close()
    }
  }
}

/** An id of a second of 2023 and a number. */
export function oid(number: number): ObjectId {
  return new ObjectId((0x65000000 + number).toString(16) + number.toString(16).padStart(16, '0'))
}

/** Somebody with a phone number of their own. */
export const person = (n: number): MongoDocument => ({
  ...{ _id: oid(n), phone: `138${String(n).padStart(8, '0')}`, nick: `用户${n}`, imgUrl: '/a.png' },
  ...{ password: `$2b$10$${'x'.repeat(53)}`, __v: 0 },
})
/** One direction of a friendship. */
export const friend = (n: number, userId: ObjectId, friendId: ObjectId): MongoDocument => ({
  ...{ _id: oid(n), userId, friendId, time: new Date(1.7e12), state: 1, __v: 0 },
})
/** A message; its moment is the n-th second. */
export const letter = (
  n: number,
  userId: ObjectId,
  friendId: ObjectId,
  state = 1,
): MongoDocument => ({
  ...{ _id: oid(n), userId, friendId, message: `第${n}条`, msgType: 0 },
  ...{ time: new Date(1.7e12 + n * 1000), state, __v: 0 },
})

/** Gives a row for everything that is wrong with the counters of conversations. */
export const unsound = `select 'unread' from unread_proof where unread <> recounted
  union all
  select 'order' from (
    select seq, lag(seq, 1, 0::bigint) over (partition by conversation_id order by seq) as before
    from messages
  ) m where seq <> before + 1
  union all
  select 'last' from conversations c where last_seq <>
    (select count(*) from messages m where m.conversation_id = c.id)`

/** The people and groups of a conversation `c`, since its number is its database's own. */
const CONVERSATION = `(select jsonb_build_array(low_user_id, high_user_id, group_id)
  from conversations c where c.id = t.conversation_id)`

/** All columns of all rows that an export is to bring back, each row as JSON. */
export async function content(target: Target): Promise<Record<string, unknown>> {
  const withConversation = `to_jsonb(t) || jsonb_build_object('conversation_id', ${CONVERSATION})`
  const plain = [
    ...['users', 'groups', 'group_members', 'spaces', 'comments', 'space_likes', 'notes'],
    ...['user_nick_suffixes', 'group_name_suffixes', 'erased_ids'],
  ]
  const queries: [string, string][] = [
    ...plain.map((name): [string, string] => [name, `select to_jsonb(t) as row from ${name} t`]),
    ['friendships', `select ${withConversation} as row from friendships t`],
    ['messages', `select ${withConversation} as row from messages t`],
    // Empty ones of people who parted are nothing that an export could name.
    [
      'conversations',
      `select to_jsonb(t) - 'id' as row from conversations t where group_id is not null
        or last_seq > 0 or exists (select from friendships f where f.conversation_id = t.id)`,
    ],
    ['unread', "select to_jsonb(t) - 'conversation_id' as row from unread_proof t"],
    [
      'quarantine',
      `select jsonb_build_array(collection, reason, document_text) as row from quarantine`,
    ],
  ]
  const rows = await Promise.all(queries.map(([, text]) => target.rows(`${text} order by 1`)))
  return Object.fromEntries(queries.map(([name], n) => [name, rows[n]]))
}
