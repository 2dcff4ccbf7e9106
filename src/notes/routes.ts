import { z } from 'zod'
import type { Context } from '../context.ts'
import { type Answer, failed, failedWithData, FORBIDDEN } from '../wire/answers.ts'
import type { Routes } from '../wire/endpoint.ts'
import { pageNumber, requiredId, text, writing } from '../wire/fields.ts'
import { noteDocument } from './documents.ts'
import { deleteNote, findNoteAuthor, insertNote, listNotes } from './queries.ts'
import { writtenTime } from './times.ts'

const DELETED: Answer = { status: 200, msg: '删除成功' }
const DEFAULT_COLOR = '#fff5a8'

/** A colour as CSS writes it: hex digits, a name, or `rgb()` and `hsl()` as pickers give them. */
const color = text()
  .max(64)
  .regex(/^(|#([\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})|[a-z]{3,20}|(rgb|hsl)a?\([\d\s.,%/]+\))$/i)
  .prefault('')
  .transform((sent) => (sent === '' ? DEFAULT_COLOR : sent))

/** Endpoints 45 to 47 of the interface document. */
export function noteRoutes({ db, times }: Context): Routes {
  return async (app) => {
    const addFailed = failed('服务器错误')
    app.post(
      '/notes/add',
      {
        config: { access: { as: 'userId' }, failure: addFailed },
        schema: {
          body: z.object({
            userId: requiredId(),
            text: writing().min(1),
            color,
            time: text().prefault(''),
          }),
        },
      },
      async ({ body: { userId, text, color, time } }) => {
        const writtenAt = writtenTime(time, times) ?? new Date()
        const _id = await insertNote(db, { authorId: userId, body: text, color, writtenAt })
        return _id === undefined ? addFailed : { status: 200, msg: '已发布', _id }
      },
    )

    app.get(
      '/notes/get',
      {
        config: { access: 'user', failure: failedWithData('服务器错误') },
        schema: { querystring: z.object({ pageNum: pageNumber }) },
      },
      async ({ query: { pageNum } }) => {
        const rows = await listNotes(db, pageNum)
        return { status: 200, data: rows.map((row) => noteDocument(row, times)) }
      },
    )

    app.get(
      '/notes/del',
      {
        config: { access: 'user', failure: failed('删除失败, 请稍后再试') },
        schema: { querystring: z.object({ _id: requiredId() }) },
      },
      async ({ caller, query: { _id } }) => {
        const authorId = await findNoteAuthor(db, _id)
        if (authorId === undefined) return DELETED
        if (caller !== undefined && caller !== authorId) return FORBIDDEN
        await deleteNote(db, _id)
        return DELETED
      },
    )
  }
}
