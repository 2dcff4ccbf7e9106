/**
 * The whole access matrix: what every endpoint declares (`config.access`) is compared with what
 * the server does to everybody who might try.
 */
import t, { type Test } from 'tap'
import { readFile } from 'node:fs/promises'
import { type Answer, Client } from '../../contract/client.ts'
import { compare, endpoints } from '../../contract/contract.ts'
import { NOBODY } from '../../contract/inputs.ts'
import { at } from '../../contract/json.ts'
import { accessPage, pageWith } from './document.ts'
import { prepare } from './requests.ts'
import { watchedServer } from './server.ts'
import { accessLines, accessTable, rolesOf, type Line } from './table.ts'
import { worthlessTokens } from './tokens.ts'
import { type Actor, actorsIn, makePeople, makeThings, type Things } from './world.ts'

const UNAUTHORIZED = '{"status":401,"msg":"登录已失效, 请重新登录"}'
const FORBIDDEN = '{"status":403,"msg":"无权操作"}'
/** They answer success for what is gone, so what was never there cannot look like a stranger's. */
const deletions = new Set([23, 24, 30, 34, 35, 47])
/** That people and groups exist is public: everybody can search for them. */
const tellOfExistence = new Set([36, 37])
/** Whoever may do these may do them once only. */
const once = new Set([19, 23, 24, 26, 30, 34, 35, 47])
const nothing: Things = {
  owner: NOBODY,
  group: NOBODY,
  space: NOBODY,
  comment: NOBODY,
  note: NOBODY,
}

for (const mode of ['token', 'open'] as const) {
  await t.test(`every endpoint does what it declares, in ${mode} mode`, async (t) => {
    const { server, addresses, fingerprint } = await watchedServer(t, mode)
    const people = await makePeople(addresses)
    const things = await makeThings(people)
    const anyone = new Client(addresses)
    const { owner, stranger } = people.actors

    for (const line of accessLines(server.access)) {
      const { number, name, access } = line
      if (number === undefined) continue
      const label = `${number} ${name}`
      const call = async (actor: Actor, about: Things, client?: Client) => {
        const me = people.actors[actor]
        return (await prepare(number, me, about, people))(client ?? me.client)
      }
      const succeeds = async (actor: Actor, client?: Client) => {
        const about = once.has(number) ? await makeThings(people) : things
        expectSuccess(t, await call(actor, about, client), number, `${label} as ${actor}`)
      }

      const worthless = worthlessTokens(owner, stranger)
      if (access === 'public') {
        for (const [, token] of worthless)
          await succeeds('owner', new Client({ ...addresses, token }))
        await succeeds('owner', anyone)
        continue
      }
      const may = whoMay(line)
      const mayNot = (Object.keys(people.actors) as Actor[]).filter((actor) => !may.includes(actor))
      // What the requests need, such as an application, is there before anything is refused.
      const asOwner = await prepare(number, owner, things, people)
      const before = await fingerprint()
      for (const [what, token] of worthless) {
        const answer = await asOwner(new Client({ ...addresses, token }))
        t.same([answer.httpStatus, answer.text], [200, UNAUTHORIZED], `${label}: a token ${what}`)
      }
      if (mode === 'token') {
        const answer = await asOwner(anyone)
        t.same([answer.httpStatus, answer.text], [200, UNAUTHORIZED], `${label}: no token`)
      }
      if (access !== 'user' && access.as !== undefined) {
        const answer = await asOwner(stranger.client)
        t.same([answer.httpStatus, answer.text], [200, FORBIDDEN], `${label} as somebody else`)
      }
      for (const actor of mayNot) {
        const answer = await call(actor, things)
        const status = access === 'user' ? 403 : (access.otherwise ?? 403)
        expectRefusal(t, answer, number, status, `${label} as ${actor}`)
      }
      if (mayNot.length > 0) {
        const unknown = await call('stranger', nothing)
        const foreign = await call('stranger', things)
        if (deletions.has(number)) expectSuccess(t, unknown, number, `${label} of what is gone`)
        else if (!tellOfExistence.has(number)) t.equal(unknown.text, foreign.text, `${label}: same`)
      }
      t.equal(await fingerprint(), before, `${label}: nothing has changed`)

      for (const actor of may) await succeeds(actor)
      if (mode === 'open') await succeeds(may[0] ?? 'owner', anyone)
    }
    if (mode === 'token') {
      const page = await pageWith(accessTable(accessLines(server.access)))
      t.equal(await readFile(accessPage, 'utf8'), page, 'npm run docs:access has been run')
    }
  })
}

/** Those of whom the declaration says that they may. */
function whoMay({ access, name }: Line): readonly Actor[] {
  const everybody: Actor[] = ['owner', 'member', 'formerMember', 'friend', 'formerFriend']
  everybody.push('commenter', 'stranger')
  if (typeof access === 'string') return everybody
  const roles = rolesOf(access)
  if (roles.length === 0) return everybody
  return [...new Set(roles.flatMap(([role, parameter]) => actorsIn(role, parameter, name)))]
}

function expectSuccess(t: Test, answer: Answer, number: number, label: string): void {
  const outcome = at(answer.body, 'status') ?? at(answer.body, 'res_code')
  t.ok([0, 200, 201].includes(Number(outcome)), `${label} succeeds`, { answer: answer.text })
  expectDocumented(t, answer, number, label)
}

function expectRefusal(t: Test, answer: Answer, number: number, status: number, label: string) {
  if (status === 403) t.same([answer.httpStatus, answer.text], [200, FORBIDDEN], label)
  else {
    t.equal(at(answer.body, 'status'), status, label)
    expectDocumented(t, answer, number, label)
  }
}

function expectDocumented(t: Test, answer: Answer, number: number, label: string): void {
  const cases = endpoints.find((one) => one.number === number)?.responses ?? []
  const fits = cases.some((one) => compare(answer.text, number, one.case).length === 0)
  t.same([answer.httpStatus, fits], [200, true], `${label}: documented`, { answer: answer.text })
}
