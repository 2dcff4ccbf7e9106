import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { findUser } from '../accounts/queries.ts'
import type { StoredFile } from '../database/schema.ts'
import { type Answer, FORBIDDEN } from '../wire/answers.ts'
import { type Access, isForbidden } from '../wire/access.ts'
import { drainLimit, MOST_FILES } from '../wire/bodies.ts'
import type { Routes } from '../wire/endpoint.ts'
import { isStorable } from '../wire/fields.ts'
import { isId } from '../wire/ids.ts'
import { type Form, receiveForm } from './form.ts'
import { keepPictures } from './keeping.ts'
import { isPicture, mediaTypeOf } from './media.ts'
import { shownName } from './names.ts'
import type { Storage } from './storage.ts'

const AVATAR_FAILED: Answer = { res_code: 404, msg: '服务器错误' }
const PICTURE_FAILED: Answer = { res_code: 500, msg: 'error' }

/** A picture that has been kept. */
interface Kept {
  readonly name: string
  readonly url: string
}

/** Endpoints 5, 15, 27, 38 and 39 of the interface document. */
export function pictureRoutes({ db, settings }: Context, storage: Storage): Routes {
  const mostDrained = drainLimit(settings)

  /** Keeps a body's pictures; undefined when it is not what the endpoint takes. */
  async function receive(
    request: FastifyRequest,
    reply: FastifyReply,
    kind: StoredFile['kind'],
    most = 1,
  ): Promise<Kept[] | 'forbidden' | undefined> {
    const options = { fileSize: settings.pictureLimit, files: most, mostDrained, hash: true }
    const form = await receiveForm(request, reply, storage, options)
    if (form === undefined) return undefined
    try {
      return await keep(form, kind, request.caller)
    } finally {
      await form.discard()
    }
  }

  async function keep(form: Form, kind: StoredFile['kind'], caller: string | undefined) {
    const named = kind === 'user_avatar' ? form.fields.get('_id') : undefined
    if (named !== undefined) {
      if (!isId(named) || (await findUser(db, named)) === undefined) return undefined
      if (isForbidden(caller, named)) return 'forbidden'
    }
    const pictures = await Promise.all(
      form.files.map(async ({ part, name, size, sha256 }) => {
        const mediaType = await mediaTypeOf(part)
        const originalName = shownName(name, mediaType)
        const uploaderId = named ?? caller ?? null
        const facts = { originalName, kind, mediaType, sizeBytes: size, sha256, uploaderId }
        return { part, facts }
      }),
    )
    const sound = pictures.every(
      ({ facts }) => isPicture(facts.mediaType) && isStorable(facts.originalName),
    )
    if (!sound || pictures.length === 0) return undefined
    const storedNames = await keepPictures(db, storage, pictures)
    return pictures.map(({ facts }, index) => ({
      name: facts.originalName,
      url: `/${storedNames[index] ?? ''}`,
    }))
  }

  return async (app) => {
    const single = (
      url: string,
      kind: StoredFile['kind'],
      success: number,
      failure: Answer,
      access: Access = 'user',
    ): void => {
      app.post(url, { config: { access, failure } }, async (request, reply) => {
        const kept = await receive(request, reply, kind)
        if (kept === 'forbidden') return FORBIDDEN
        const picture = kept?.[0]
        return picture === undefined ? failure : { res_code: success, ...picture }
      })
    }
    single('/upload/user', 'user_avatar', 0, AVATAR_FAILED, { as: '_id', optional: true })
    single('/upload/group', 'group_avatar', 0, AVATAR_FAILED)
    single('/chat/private/photo', 'chat_picture', 200, PICTURE_FAILED)
    single('/chat/group/photo', 'chat_picture', 200, PICTURE_FAILED)

    app.post(
      '/space/upload/photos',
      { config: { access: 'user', failure: PICTURE_FAILED } },
      async (request, reply) => {
        const kept = await receive(request, reply, 'space_photo', MOST_FILES)
        if (kept === undefined || kept === 'forbidden') return PICTURE_FAILED
        return { res_code: 200, url: kept.map(({ url }) => url) }
      },
    )
  }
}
