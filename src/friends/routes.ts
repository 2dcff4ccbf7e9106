import { z } from 'zod'
import type { Context } from '../context.ts'
import type { Realtime } from '../realtime/realtime.ts'
import { type Answer, failed } from '../wire/answers.ts'
import type { Routes } from '../wire/endpoint.ts'
import { requiredId } from '../wire/fields.ts'
import { applicationDocument, friendDocument } from './documents.ts'
import {
  agreeToFriendship,
  applyForFriendship,
  deleteFriendship,
  listApplications,
  listFriends,
  refuseFriendship,
} from './queries.ts'

const REQUESTED: Answer = { status: 200, msg: '申请中' }
const AGREED: Answer = { status: 200, msg: '添加成功' }
const REFUSED: Answer = { status: 200, msg: '已拒绝' }
const DELETED: Answer = { status: 200, msg: '删除成功' }

const pairBody = z.object({
  userId: requiredId('userId参数不能为空'),
  friendId: requiredId('friendId参数不能为空'),
})
const pairQuery = z.object({ userId: requiredId(), friendId: requiredId() })
const userQuery = z.object({ userId: requiredId() })
const access = { as: 'userId' }

/** Endpoints 8 to 13 of the interface document. */
export function friendRoutes({ db, times }: Context, { notices, rooms }: Realtime): Routes {
  return async (app) => {
    const applyFailed = failed('申请失败,请重试')
    app.post(
      '/friend/add',
      { config: { access, failure: applyFailed, lists405: true }, schema: { body: pairBody } },
      async ({ body: { userId, friendId } }) => {
        if (userId === friendId) return applyFailed
        const outcome = await applyForFriendship(db, userId, friendId)
        if (outcome === 'no such user' || outcome === 'already friends') return applyFailed
        notices.applied(friendId)
        if (outcome === 'accepted') {
          notices.agreed(friendId)
          notices.applied(userId)
        }
        return REQUESTED
      },
    )

    app.get(
      '/contacts/friend',
      { config: { access, failure: failed('请求失败') }, schema: { querystring: userQuery } },
      async ({ query: { userId } }) => {
        const rows = await listFriends(db, userId)
        if (rows === undefined) return failed('请求失败')
        return { status: 200, data: rows.map((row) => friendDocument(userId, row, times)) }
      },
    )

    app.get(
      '/del/friend',
      { config: { access, failure: failed('删除失败') }, schema: { querystring: pairQuery } },
      async ({ query: { userId, friendId } }) => {
        await deleteFriendship(db, userId, friendId)
        rooms.parted(userId, friendId)
        return DELETED
      },
    )

    app.get(
      '/get/friend/noagree',
      { config: { access, failure: failed('服务器错误') }, schema: { querystring: userQuery } },
      async ({ query: { userId } }) => {
        const rows = await listApplications(db, userId)
        if (rows === undefined) return failed('服务器错误')
        return { status: 200, data: rows.map((row) => applicationDocument(userId, row, times)) }
      },
    )

    const agreeFailed = failed('添加失败')
    app.post(
      '/friend/agree',
      { config: { access, failure: agreeFailed, lists405: true }, schema: { body: pairBody } },
      async ({ body: { userId, friendId } }) => {
        if (!(await agreeToFriendship(db, userId, friendId))) return agreeFailed
        notices.agreed(friendId)
        return AGREED
      },
    )

    const refuseFailed = failed('服务器错误')
    app.post(
      '/friend/refuse',
      { config: { access, failure: refuseFailed, lists405: true }, schema: { body: pairBody } },
      async ({ body: { userId, friendId } }) => {
        if (!(await refuseFriendship(db, userId, friendId))) return refuseFailed
        return REFUSED
      },
    )
  }
}
