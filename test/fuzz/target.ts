import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../contract/client.ts'
import { createGroup } from '../contract/groups.ts'
import { stringAt } from '../contract/json.ts'
import { SEED as SAME_SEED } from '../helpers/random.ts'
import { register, type Person } from '../contract/people.ts'
import { serve } from '../contract/server.ts'
import { comment, feedOf, publish } from '../contract/spaces.ts'

/** Inputs for each endpoint and event; `npm run test:fuzz` asks for more. */
export const INPUTS = Number(process.env.FUZZ_INPUTS ?? 2_000)
/** Printed by what fails; given again, it makes the same inputs. */
export const SEED = Number(process.env.FUZZ_SEED ?? SAME_SEED)

/** A machine that is busy with other things may need this long, in milliseconds. */
const LONGEST = 600_000 + INPUTS * 500

/** What the heap is off by from one collection to the next, in bytes. */
const NOISE = 2 ** 20

/** Most bytes that memory may grow by with so many inputs; a leak of 1 KB an input is more. */
export function mostGrowth(inputs: number): number {
  return NOISE + 512 * inputs
}

/** What the server's process holds, after it collected its garbage. */
export interface Report {
  readonly count: number
  readonly pid: number
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
  readonly resources: readonly string[]
}

/** Real things for inputs to be nearly right about, by their ids. */
export interface Things {
  readonly people: readonly Person[]
  readonly group: string
  readonly space: string
  readonly comment: string
  readonly note: string
}

/** A server under fire. */
export interface Target extends Things {
  readonly client: Client
  /** With which the first of its people shows who they are; in open mode there are none. */
  readonly credentials: Readonly<Record<string, string>>
  report(): Promise<Report>
}

/** Starts a server whose process can be asked what it holds. */
export async function startTarget(
  t: {
    teardown(handler: () => Promise<void>): void
    setTimeout(milliseconds: number): void
  },
  mode: 'open' | 'token' = 'open',
): Promise<Target> {
  t.setTimeout(LONGEST)
  const folder = await mkdtemp(join(tmpdir(), 'waifchat-fuzz-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'report.json')
  const settings = {
    FUZZ_REPORT: file,
    AUTH_MODE: mode,
    // What is over a limit is not looked at; limits have tests of their own.
    EVENT_LIMIT: '0',
    MESSAGE_LIMIT: '0',
    LOGIN_FAILURES: '0',
    LOG_LEVEL: 'fatal',
    // As many as are open before the first input: further ones are closed after ten idle seconds.
    DATABASE_POOL_SIZE: '3',
  }
  // Not by NODE_OPTIONS: threads would load it too, among them one of the compiler's.
  const server = await serve(t, settings, ['tsx', new URL('probe.ts', import.meta.url).href])
  const timeout = 60_000
  const things = await makeThings((token) => server.client({ timeout, ...(token && { token }) }))
  const token = mode === 'token' ? things.people[0]?.token : undefined
  const read = async () => JSON.parse(await readFile(file, 'utf8')) as Report
  const { pid } = await read()
  return {
    ...things,
    client: server.client({ timeout, ...(token && { token }) }),
    credentials: token === undefined ? {} : { token },
    async report() {
      const { count } = await read()
      process.kill(pid, 'SIGUSR2')
      for (;;) {
        const report = await read()
        if (report.count > count) return report
        await pause(20)
      }
    },
  }
}

/**
 * Registers four people, of whom the first has a friend, a group, a space and a note.
 *
 * @param clientWith makes a client that sends a token
 */
export async function makeThings(clientWith: (token?: string) => Client): Promise<Things> {
  const anyone = clientWith()
  const people = await Promise.all(['甲', '乙', '丙', '丁'].map((nick) => register(anyone, nick)))
  const [owner, friend] = people as [Person, Person, ...Person[]]
  const [owners, friends] = [clientWith(owner.token), clientWith(friend.token)]
  await owners.post('/friend/add', { userId: owner.id, friendId: friend.id })
  await friends.post('/friend/agree', { userId: friend.id, friendId: owner.id })
  const group = await createGroup(owners, owner, '群')
  await friends.post('/group/add', { groupId: group, userId: friend.id })
  await owners.post('/group/agree', { groupId: group, userId: friend.id })
  const space = await publish(owners, owner, '空间')
  await owners.post('/space/comment/add/0', comment(space, owner))
  const [shown] = await feedOf(owners, owner, 1)
  const note = await owners.post('/notes/add', { userId: owner.id, text: '便签' })
  return {
    people,
    group,
    space,
    comment: shown?.commentList[0]?._id ?? '',
    note: stringAt(note.body, '_id'),
  }
}

/**
 * Memory in bytes, and whose: asked for until it falls no more, because the rest of a body that was
 * answered early is still being read.
 */
export async function held(target: Target): Promise<{ pid: number; bytes: number }> {
  let least = Infinity
  for (;;) {
    const { pid, heapUsed, external } = await target.report()
    const bytes = heapUsed + external
    if (bytes > least - NOISE) return { pid, bytes: Math.min(least, bytes) }
    least = bytes
    await pause(200)
  }
}

/** How often each kind of resource is held; timers come and go by themselves. */
export function handles({ resources }: Report): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of resources) {
    if (name !== 'Timeout' && name !== 'Immediate') counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** Resolves when the process holds no more handles of any kind than before; gives what it holds. */
export async function handlesBackTo(
  target: Target,
  before: Report,
  patience = 60_000,
): Promise<Record<string, number>> {
  const most = handles(before)
  const deadline = performance.now() + patience
  for (;;) {
    const now = handles(await target.report())
    const more = Object.entries(now).filter(([name, count]) => count > (most[name] ?? 0))
    if (more.length === 0 || performance.now() > deadline) return Object.fromEntries(more)
    await pause(500)
  }
}
