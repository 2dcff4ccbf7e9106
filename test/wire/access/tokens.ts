import { createHmac } from 'node:crypto'
import type { Person } from '../../contract/people.ts'

/** What the servers of these tests sign with. */
export const SECRET = 'a secret of more than 32 characters'

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function sign(claims: object, key: string, alg = 'HS256'): string {
  const text = `${base64({ alg, typ: 'JWT' })}.${base64(claims)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

/** Tokens that claim to be somebody's, and are not valid. */
export function worthlessTokens({ id, token }: Person, other: Person): [string, string][] {
  const now = Math.floor(Date.now() / 1000)
  const claims = { sub: id, iat: now, exp: now + 3600 }
  const [header = '', , signature = ''] = other.token.split('.')
  const [unsigned = ''] = sign(claims, SECRET, 'none').match(/^.*\./) ?? []
  return [
    ['expired', sign({ ...claims, iat: now - 7200, exp: now - 3600 }, SECRET)],
    ['signed with another secret', sign(claims, 'x'.repeat(32))],
    ['signed with no algorithm', unsigned],
    ['of another, its payload changed', `${header}.${base64(claims)}.${signature}`],
    ['cut', token.slice(0, -4)],
    ['no token', 'x'],
  ]
}
