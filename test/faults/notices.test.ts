/** Notices when people are connected to different server processes on one database. */
import t from 'tap'
import { Caller } from './caller.ts'
import { Device } from './device.ts'
import { History } from './history.ts'
import { scopeOf } from './scope.ts'
import { FaultyServer } from './server.ts'
import { makePeople, until, withDatabase } from './world.ts'

const scope = scopeOf(t)
const server = await FaultyServer.start(scope)
const { databaseUrl } = server
const another = await FaultyServer.start(scope, { databaseUrl })
const history = new History()
const [asked = '', ...applicants] = await makePeople(databaseUrl, 4)
const caller = new Caller(server.http, history)

/** A device on the other server, and what it is told. */
async function listener(userId: string) {
  const device = new Device(another.socket, userId, history)
  scope.teardown(async () => device.close())
  const told: unknown[] = []
  device.socket.on('apply_notice', (counts: unknown) => told.push(counts))
  device.socket.on('agree_apply', (nothing: unknown) => told.push(nothing))
  await device.login()
  return { device, told }
}

/** Every server has its connection for the notices of others. */
const channels = (besides: readonly number[] = []) =>
  withDatabase(databaseUrl, async (db) => {
    const { rows } = await db.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database()
        and application_name = 'waifchat channel' and query like 'listen%' and state = 'idle'`,
    )
    return rows.map(({ pid }) => pid).filter((pid) => !besides.includes(pid))
  })
await until('both listen', async () => (await channels()).length === 2)

await t.test('they reach those who are connected elsewhere, once each', async (t) => {
  const [applicant = ''] = applicants
  const [one, other] = [await listener(asked), await listener(applicant)]
  t.equal(await caller.post('/friend/add', { userId: applicant, friendId: asked }), 200)
  await until('the application is told of', () => one.told.length > 0)
  t.same(one.told, [{ friendNoticeNum: 1, groupNoticeNum: 0 }])

  t.equal(await caller.post('/friend/agree', { userId: asked, friendId: applicant }), 200)
  await until('the agreement is told of', () => other.told.length > 0)
  // What the client says after an agreement is no news, wherever it says it.
  await one.device.socket.emitWithAck('agree_apply', applicant)
  await other.device.isBack()
  t.same(other.told, [null])
  one.device.close()
  other.device.close()
})

await t.test('what a client asks for reaches them, too', async (t) => {
  const { told } = await listener(applicants[1] ?? '')
  const speaker = new Device(server.socket, asked, history)
  scope.teardown(async () => speaker.close())
  await speaker.login()
  await speaker.socket.emitWithAck('agree_apply', applicants[1])
  await until('it is told', () => told.length > 0)
  t.same(told, [null])
})

await t.test('they do so again after the connections for them were lost', async (t) => {
  const { told } = await listener(asked)
  const lost = await channels()
  await withDatabase(databaseUrl, (db) =>
    db.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [lost]),
  )
  await until('both listen again', async () => (await channels(lost)).length === 2)
  t.equal(await caller.post('/friend/add', { userId: applicants[2] ?? '', friendId: asked }), 200)
  await until('the application is told of', () => told.length > 0)
  t.same(told, [{ friendNoticeNum: 1, groupNoticeNum: 0 }])
  t.same(history.incidents, [])
})
