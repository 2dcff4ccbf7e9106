import { audit } from '../auditor.ts'
import { Caller } from '../caller.ts'
import { Device } from '../device.ts'
import { History, type Sent, type Shown } from '../history.ts'
import type { Outcome, Terms } from '../outcome.ts'
import { FaultyServer } from '../server.ts'
import { makeFriends, makeGroup, makePeople, until } from '../world.ts'

export interface LostRights {
  readonly rounds: number
  /** People of a round, an even share of each way to lose a right. */
  readonly together: number
}

/** What happens to somebody who is away. */
const ways = [
  'removed',
  'removed and let in again',
  'left',
  'dissolved',
  'unfriended',
  'logged out',
  'another logged in',
] as const

interface Absent {
  readonly device: Device
  readonly way: (typeof ways)[number]
  readonly groupId: string
  /** Who logs in on the device meanwhile. */
  readonly other: string
  /** Who applies to be a friend of its owner. */
  readonly stranger: string
}

/** People lose rights while they are away, and come back; in every second round the server dies. */
export async function lostRights(terms: Terms, { rounds, together }: LostRights): Promise<Outcome> {
  const history = new History()
  const server = await FaultyServer.start(terms, { sabotage: terms.sabotage })
  const caller = new Caller(server.http, history)
  const forbidden = new Map<Shown, Set<string>>()
  const wanted = new Map<Shown, Set<string>>()

  for (let round = 0; round < rounds; round += 1) {
    const { speaker, absents } = await meet(server, history, together)
    for (const { device, groupId } of absents) {
      // It needs something to remember, or it would come back as a stranger.
      note(wanted, device, speaker.send('group', groupId))
    }
    await until('the first are shown, and are news', () =>
      absents.every(({ device }) => device.shown.news[0] === 1),
    )
    await leaveTheNetwork(absents)
    const notices = new Map(absents.map(({ device: { shown } }) => [shown, shown.notices.length]))
    const saidBefore = say(speaker, absents, forbidden, wanted, 'before')
    await until('all is answered', () => saidBefore.every(({ status }) => status !== undefined))
    for (const absent of absents) await change(absent, caller, speaker)
    const said = say(speaker, absents, forbidden, wanted)
    await until('all is answered', () => said.every(({ status }) => status !== undefined))
    if (round % 2 === 1) {
      await server.kill()
      await server.start()
      await speaker.isBack()
    }
    for (const { device } of absents) device.socket.connect()
    await Promise.all(absents.map(({ device }) => device.isBack()))
    // Once more: what they did when they came back must have lasted.
    for (const { device } of absents) device.socket.io.reconnection(true)
    for (const { device } of absents) device.drop()
    await Promise.all(absents.map(({ device }) => device.isBack()))
    const saidToReturned = say(speaker, absents, forbidden, wanted)
    await until('all is answered', () => saidToReturned.every((sent) => sent.status !== undefined))
    for (const { device, stranger } of absents) {
      await caller.post('/friend/add', { userId: stranger, friendId: device.owner })
    }
    await Promise.all(absents.map(({ device }) => device.isBack()))
    for (const { device, way } of absents) {
      // Of those who have logged in since, the other has no application: 0 is theirs.
      const news = device.shown.notices.slice(notices.get(device.shown)).some((count) => count > 0)
      const isGone = way === 'logged out' || way === 'another logged in'
      if (isGone && news) history.note('shown a notice without a right', device.shown.device)
      if (!isGone && !news) history.note('notice missing', device.shown.device)
      device.close()
    }
    speaker.close()
  }

  const findings = await audit(server.databaseUrl, history, {
    forbidden: (shown) => forbidden.get(shown) ?? new Set(),
  })
  for (const [shown, texts] of wanted) {
    const seen = new Set(shown.texts)
    for (const text of texts) if (!seen.has(text)) findings.add('missing', text)
  }
  const events = [...forbidden.values()].reduce((sum, texts) => sum + texts.size, 0)
  return {
    findings,
    figures: `${rounds * together} times a right was lost while away, ${events} messages not to be shown`,
  }
}

async function meet(server: FaultyServer, history: History, together: number) {
  const { databaseUrl } = server
  const [speakerId = '', ...everybody] = await makePeople(databaseUrl, 1 + 3 * together)
  const people = everybody.slice(0, 2 * together)
  const persons = people.slice(0, together)
  const others = people.slice(together)
  await makeFriends(
    databaseUrl,
    people.map((id) => [speakerId, id] as const),
  )
  const speaker = new Device(server.socket, speakerId, history)
  await speaker.login()
  const absents = await Promise.all(
    persons.map(async (id, index): Promise<Absent> => {
      const groupId = await makeGroup(databaseUrl, [speakerId, id])
      const device = new Device(server.socket, id, history)
      await device.login()
      const way = ways[index % ways.length] ?? 'left'
      const [other = '', stranger = ''] = [others[index], everybody[2 * together + index]]
      return { device, way, groupId, other, stranger }
    }),
  )
  // The group was made behind the server's back.
  await speaker.login()
  return { speaker, absents }
}

async function leaveTheNetwork(absents: readonly Absent[]): Promise<void> {
  for (const { device } of absents) {
    device.socket.io.reconnection(false)
    device.drop()
  }
  await until('all are away', () => absents.every(({ device }) => !device.socket.connected))
}

async function change(
  { device, way, groupId, other }: Absent,
  caller: Caller,
  speaker: Device,
): Promise<void> {
  const { owner: userId } = device
  if (way.startsWith('removed') || way === 'left') {
    await caller.get('/del/groupUser', { groupId, userId })
  }
  if (way === 'removed and let in again') {
    await caller.post('/group/add', { groupId, userId })
    await caller.post('/group/agree', { groupId, userId })
  }
  if (way === 'dissolved') await caller.get('/del/group', { groupId })
  if (way === 'unfriended') await caller.get('/del/friend', { userId, friendId: speaker.owner })
  // The client emits these while it is away; they arrive first thing when it is back.
  if (way === 'logged out') device.socket.emit('logout', '')
  if (way === 'another logged in') device.socket.emit('login', other)
}

/**
 * The speaker says something in each conversation; notes who must not be shown it, and who must.
 *
 * @param when whether the right is still to be lost
 */
function say(
  speaker: Device,
  absents: readonly Absent[],
  forbidden: Map<Shown, Set<string>>,
  wanted: Map<Shown, Set<string>>,
  when: 'before' | 'after' = 'after',
): Sent[] {
  return absents.flatMap(({ device, way, groupId, other }) => {
    const inGroup = speaker.send('group', groupId)
    const inPrivate = speaker.send('private', device.owner)
    const isGone = way === 'logged out' || way === 'another logged in'
    // Who is let in again has missed what was said before, for good.
    const isBackIn = way === 'removed and let in again' && when === 'after'
    const group = isGone || (way !== 'unfriended' && !isBackIn)
    note(group ? forbidden : wanted, device, inGroup)
    note(isGone || way === 'unfriended' ? forbidden : wanted, device, inPrivate)
    return [inGroup, inPrivate, ...(isGone ? [speaker.send('private', other)] : [])]
  })
}

function note(texts: Map<Shown, Set<string>>, { shown }: Device, { text }: Sent): void {
  const set = texts.get(shown) ?? new Set()
  texts.set(shown, set.add(text))
}
