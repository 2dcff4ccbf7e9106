import { endpointFields } from '../fuzz/endpoint-fields.ts'
import type { Things } from '../fuzz/target.ts'
import type { Answer, Client, Fields } from './client.ts'
import { endpoints, type Endpoint } from './contract.ts'
import { type ClientEvent, events } from './events.ts'
import { PNG } from './files-support.ts'
import { textMessage } from './people.ts'

/** What must not be found again: a password, a token and a text. */
export interface Canaries {
  readonly password: string
  readonly token: string
  readonly text: string
}

/**
 * Requests to every endpoint: right ones with canaries beside their parameters, and wrong ones with
 * a canary instead of each parameter.
 */
export function canaryRequests(
  client: Client,
  things: Things,
  canaries: Canaries,
): (() => Promise<Answer>)[] {
  return endpoints.flatMap((endpoint) => {
    const values = Object.entries(endpointFields[endpoint.number] ?? {})
    const right = Object.fromEntries(values.map(([name, of]) => [name, of(things)[0] ?? '']))
    const wrong = values.map(([name]) => ({ ...right, [name]: canaries.text }))
    return [right, ...wrong].flatMap((fields) =>
      requestsWith(client, endpoint, { ...canaries, ...fields }),
    )
  })
}

function requestsWith(
  client: Client,
  { method, url }: Endpoint,
  fields: Record<string, string>,
): (() => Promise<Answer>)[] {
  const { type = '', ...rest } = fields
  const path = url.replace(':type', encodeURIComponent(type))
  const named: Fields = url.includes(':type') ? rest : fields
  if (method === 'GET') return [() => client.get(path, named)]
  const file = { name: `${String(fields.text)}.png`, data: PNG }
  return [
    () => client.post(path, named),
    () => client.postJson(path, { ...named, text: [fields.text], password: [fields.password] }),
    () => client.upload(path, { ...fields, file }),
    () => client.upload(path, { ...fields, file: { ...file, data: String(fields.text) } }),
  ]
}

/** Every event with its arguments: right ones that carry canaries, and a canary instead of each. */
export function canaryEvents(
  { people, group }: Things,
  canaries: Canaries,
): [event: ClientEvent, args: unknown[]][] {
  const [me, friend] = people
  if (me === undefined || friend === undefined) throw new Error('nobody is there')
  const said = { ...textMessage(me, canaries.text), ...canaries }
  const right: Record<ClientEvent, unknown[]> = {
    login: [me.id],
    private_chat: [said, me.id, friend.id],
    join_group: [group],
    group_chat: [said, me.id, group],
    init_apply_notice: [me.id],
    apply_notice: [me.id],
    agree_apply: [me.id],
    logout: [''],
  }
  return events.flatMap(({ name }) => {
    const args = right[name]
    const wrong = args.flatMap((_, index) => [
      args.with(index, canaries.text),
      args.with(index, canaries),
    ])
    return [args, ...wrong, [...args, canaries.text], []].map((some): [ClientEvent, unknown[]] => [
      name,
      some,
    ])
  })
}
