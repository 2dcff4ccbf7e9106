/** npm run database:erase -- <phone or id> [--yes]: deletes a person's data for good. */
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { StartupError } from '../../startup-error.ts'
import { runCommand, say } from './command.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { yes: { type: 'boolean', default: false } },
})

await runCommand(async ({ client, settings }) => {
  const [who, ...rest] = positionals
  if (who === undefined || rest.length > 0) {
    throw new StartupError('Say whom: npm run database:erase -- <phone or id>, then with --yes.')
  }
  const found = await client.query<{ id: string; nick: string; messages: string }>(
    `select id, nick, (select count(*) from messages where sender_id = users.id) as messages
    from users where $1 in (id::text, phone)`,
    [who],
  )
  const user = found.rows[0]
  if (user === undefined) throw new StartupError(`There is no user ${who}.`)

  await client.query('begin')
  const erased = await client.query<{ name: string }>('select erase_user($1) as name', [user.id])
  const names = erased.rows.map(({ name }) => name)
  const what = `${user.nick} (${user.id}), ${user.messages} messages and ${names.length} files`
  if (!values.yes) {
    await client.query('rollback')
    say(`Would erase ${what}; nothing was changed. Add --yes to do it.`)
    return true
  }
  await client.query('commit')
  const folder = resolve(settings.uploadDir)
  for (const name of names) await rm(join(folder, name), { force: true })
  say(`Erased ${what}. Restart the servers: sockets of the person may still be connected.`)
  return true
})
