import { z } from 'zod'
import type { Notices } from '../notices/notices.ts'
import { type Answer, failed } from '../wire/answers.ts'
import type { Endpoint } from '../wire/endpoint.ts'
import { requiredId } from '../wire/fields.ts'
import type { Memberships } from './memberships.ts'

const SENT: Answer = { status: 200, msg: '已发送' }
const failure = failed('申请失败')

const body = z.object({
  groupId: requiredId('groupId参数不能为空'),
  userId: requiredId('userId参数不能为空'),
})

/** Endpoint 18 of the interface document, for each url at which it is. */
export interface Applying {
  readonly endpoint: Endpoint
  readonly body: typeof body
  apply(application: z.output<typeof body>): Promise<Answer>
}

export function createApplying(memberships: Memberships, notices: Notices): Applying {
  return {
    endpoint: { access: { as: 'userId' }, failure, lists405: true },
    body,
    async apply({ groupId, userId }) {
      const ownerId = await memberships.apply(groupId, userId)
      if (ownerId === undefined) return failure
      notices.applied(ownerId)
      return SENT
    },
  }
}

/** Whether a body sent to `/login` is an application all the same (behaviour.md 5). */
export function isApplication(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  const has = (key: string) => Object.hasOwn(body, key)
  return !has('phone') && !has('password') && (has('groupId') || has('userId'))
}
