import { z } from 'zod'
import type { Context } from '../context.ts'
import { type Answer, failed } from '../wire/answers.ts'
import type { Routes } from '../wire/endpoint.ts'
import { pageNumber, requiredId } from '../wire/fields.ts'
import { conversationDocument, friendPageDocument, groupPageDocument } from './documents.ts'
import { friendMessagePage, groupMessagePage, listConversations, markRead } from './queries.ts'
import { createReads } from './reads.ts'

const READ: Answer = { status: 200, msg: '已读' }
const access = { as: 'userId' }
const failure = failed('服务器错误')

/** Endpoints 36, 37, 43 and 44 of the interface document. */
export function messageRoutes({ db, times }: Context): Routes {
  const reads = createReads()
  return async (app) => {
    app.get(
      '/message/friend',
      {
        config: { access: { as: 'userId', who: { friend: 'friendId' }, otherwise: 202 }, failure },
        schema: {
          querystring: z.object({
            userId: requiredId(),
            friendId: requiredId(),
            pageNum: pageNumber,
          }),
        },
      },
      async ({ query: { userId, friendId, pageNum } }) => {
        const rows = await friendMessagePage(db, userId, friendId, pageNum)
        const first = rows[0]
        if (first === undefined) return failure
        const [, , nick, , state, , , id] = first
        const friendNick = { _id: friendId, nick }
        if (state !== 'accepted') {
          return { status: 202, data: { friendNick }, msg: '您与ta还不是好友哦' }
        }
        if (id === null) return { status: 201, data: friendNick, msg: '暂无更多' }
        return { status: 200, data: friendPageDocument(userId, friendId, rows, times) }
      },
    )

    app.get(
      '/message/group',
      {
        config: { access: { as: 'userId', who: { member: 'groupId' }, otherwise: 202 }, failure },
        schema: {
          querystring: z.object({
            userId: requiredId(),
            groupId: requiredId(),
            pageNum: pageNumber,
          }),
        },
      },
      async ({ query: { userId, groupId, pageNum } }) => {
        const rows = await groupMessagePage(db, userId, groupId, pageNum)
        const first = rows[0]
        if (first === undefined) return failure
        const [groupName, state, id] = first
        const group = { _id: groupId, groupName }
        if (state !== 'member') return { status: 202, data: group, msg: '您还未加入该群哦' }
        if (id === null) return { status: 201, data: group, msg: '暂无更多' }
        return { status: 200, data: groupPageDocument(groupId, rows, times) }
      },
    )

    app.get(
      '/message/list',
      { config: { access, failure }, schema: { querystring: z.object({ userId: requiredId() }) } },
      async ({ query: { userId } }) => {
        await reads.finished(userId)
        const rows = await listConversations(db, userId)
        if (rows === undefined) return failure
        return { status: 200, data: rows.map((row) => conversationDocument(row, times)) }
      },
    )

    app.get(
      '/message/read/:type',
      {
        config: { access, failure },
        schema: {
          params: z.object({ type: z.enum(['friend', 'group']) }),
          querystring: z.object({ userId: requiredId(), id: requiredId() }),
        },
      },
      async ({ params: { type }, query: { userId, id } }) => {
        const conversation = type === 'friend' ? 'private' : 'group'
        const known = await reads.track(userId, markRead(db, conversation, userId, id))
        return known ? READ : failure
      },
    )
  }
}
