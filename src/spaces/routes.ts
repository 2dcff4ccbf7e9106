import { z } from 'zod'
import type { Context } from '../context.ts'
import { type Answer, failed, FORBIDDEN } from '../wire/answers.ts'
import type { Routes } from '../wire/endpoint.ts'
import { optionalPage, requiredId, text, writing } from '../wire/fields.ts'
import { isId } from '../wire/ids.ts'
import { deleteComment, findCommentOwners, insertComment, insertReply } from './comments.ts'
import { feedDocument, ownSpacesDocument } from './documents.ts'
import { readFeed } from './feed.ts'
import { photoPaths } from './photos.ts'
import { deleteSpace, findSpaceAuthor, insertSpace, listOwnSpaces, toggleLike } from './queries.ts'

const PUBLISHED: Answer = { status: 200, msg: '发布成功' }
const DONE: Answer = { status: 200, msg: 'success' }
const DELETED: Answer = { status: 200, msg: '删除成功' }

const access = { as: 'userId' }
/** `:type` of endpoints 33 and 34: 0 a comment, 1 a reply. */
const typeParams = z.object({ type: z.enum(['0', '1']) })

/** Endpoints 28 to 35 of the interface document. */
export function spaceRoutes({ db, times }: Context): Routes {
  return async (app) => {
    const publishFailed = failed('发布失败')
    app.post(
      '/space/add',
      {
        config: { access, failure: publishFailed },
        schema: {
          body: z
            .object({
              userId: requiredId(),
              textDesc: writing().prefault(''),
              photos: photoPaths,
            })
            .refine(({ textDesc, photos }) => textDesc !== '' || photos.length > 0),
        },
      },
      async ({ body: { userId, textDesc, photos } }) => {
        const known = await insertSpace(db, { authorId: userId, body: textDesc, photos })
        return known ? PUBLISHED : publishFailed
      },
    )

    const serverFailed = failed('服务器错误')
    app.get(
      '/space/get',
      {
        config: { access, failure: serverFailed },
        schema: { querystring: z.object({ userId: requiredId(), pageNum: optionalPage }) },
      },
      async ({ query: { userId, pageNum } }) => {
        const feed = await readFeed(db, userId, pageNum)
        if (feed === undefined) return serverFailed
        return { status: 200, data: feedDocument(userId, feed, times) }
      },
    )

    app.get(
      '/space/details',
      {
        // It names whose spaces are shown, not who looks at them.
        config: { access: 'user', failure: failed('error') },
        schema: { querystring: z.object({ userId: requiredId() }) },
      },
      async ({ query: { userId } }) => {
        const rows = await listOwnSpaces(db, userId)
        if (rows.length === 0) return failed('error')
        return { status: 200, data: ownSpacesDocument(userId, rows, times) }
      },
    )

    app.post(
      '/space/like',
      {
        config: { access, failure: serverFailed },
        schema: { body: z.object({ spaceId: requiredId(), userId: requiredId() }) },
      },
      async ({ body: { spaceId, userId } }) => {
        return (await toggleLike(db, spaceId, userId)) ? DONE : serverFailed
      },
    )

    const commentFailed = failed('error')
    app.post(
      '/space/comment/add/:type',
      {
        config: { access, failure: commentFailed },
        schema: {
          params: typeParams,
          body: z
            .object({
              userId: requiredId(),
              spaceId: requiredId(),
              textarea: writing().min(1),
              fromId: requiredId(),
              toId: requiredId(),
              spaceCommentId: text().prefault(''),
            })
            .refine(({ userId, fromId }) => userId === fromId),
        },
      },
      async ({ params: { type }, body }) => {
        const { userId, spaceId, textarea, toId, spaceCommentId } = body
        const comment = { spaceId, authorId: userId, body: textarea }
        if (type === '0') {
          if (toId !== userId) return commentFailed
          return (await insertComment(db, comment)) ? DONE : commentFailed
        }
        if (!isId(spaceCommentId)) return commentFailed
        const reply = { ...comment, parentId: spaceCommentId, recipientId: toId }
        return (await insertReply(db, reply)) ? DONE : commentFailed
      },
    )

    app.get(
      '/space/comment/del/:type',
      {
        config: { access: 'user', failure: serverFailed },
        schema: { params: typeParams, querystring: z.object({ _id: requiredId() }) },
      },
      async ({ caller, params: { type }, query: { _id } }) => {
        const owners = await findCommentOwners(db, _id)
        if (owners === undefined) return DELETED
        const [isReply, authorId, spaceAuthorId] = owners
        if (isReply !== (type === '1')) return serverFailed
        // Who publishes decides what stands under it.
        if (caller !== undefined && caller !== authorId && caller !== spaceAuthorId) {
          return FORBIDDEN
        }
        await deleteComment(db, _id)
        return DELETED
      },
    )

    app.get(
      '/space/del',
      {
        config: { access: 'user', failure: failed('删除失败') },
        schema: { querystring: z.object({ _id: requiredId() }) },
      },
      async ({ caller, query: { _id } }) => {
        const authorId = await findSpaceAuthor(db, _id)
        if (authorId === undefined) return DELETED
        if (caller !== undefined && caller !== authorId) return FORBIDDEN
        await deleteSpace(db, _id)
        return DELETED
      },
    )
  }
}
