/** npm run database:reader -- <role>: makes a role that may read everything but the secrets. */
import { randomBytes } from 'node:crypto'
import { StartupError } from '../../startup-error.ts'
import { runCommand, say } from './command.ts'

await runCommand(async ({ client, url }) => {
  const [role, ...rest] = process.argv.slice(2)
  if (role === undefined || rest.length > 0) {
    throw new StartupError('Say which role: npm run database:reader -- <role>.')
  }
  const password = randomBytes(18).toString('base64url')
  const { rows } = await client.query<{ made: boolean }>('select create_reader($1, $2) as made', [
    role,
    password,
  ])
  const address = new URL(url)
  address.username = encodeURIComponent(role)
  address.password = rows[0]?.made === true ? password : ''
  say(`psql "${address.href}"`)
  return true
})
