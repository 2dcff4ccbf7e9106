/** npm run database:gate: makes messages harmless that were stored before the gate was what it is. */
import type pg from 'pg'
import { gateImported } from '../../messages/gate/gate.ts'
import type { Message } from '../schema.ts'
import { runCommand, say } from './command.ts'

/** A message may have a megabyte. */
const AT_ONCE = 100

type Stored = Pick<Message, 'id' | 'kind' | 'body'> & { readonly position: string }

await runCommand(async ({ client }) => {
  let read = 0
  let changed = 0
  for (let after = '0'; ;) {
    const messages = await page(client, after)
    for (const message of messages) {
      const { kind, body } = gateImported(message.kind, message.body)
      if (kind === message.kind && body === message.body) continue
      // Only while it is as it was read: somebody may be erasing it.
      const { rowCount } = await client.query(
        'update messages set kind = $2, body = $3 where id = $1 and body = $4',
        [message.id, kind, body, message.body],
      )
      changed += rowCount ?? 0
    }
    read += messages.length
    const last = messages.at(-1)
    if (last === undefined) break
    after = last.position
  }
  say(`Read ${read} messages and changed ${changed}.`)
  return true
})

async function page(client: pg.Client, after: string): Promise<Stored[]> {
  const { rows } = await client.query<Stored>(
    `select id, position, kind, body from messages where position > $1
    order by position limit ${AT_ONCE}`,
    [after],
  )
  return rows
}
