import multipart from '@fastify/multipart'
import type { Context } from '../context.ts'
import type { Routes } from '../wire/endpoint.ts'
import { chunkRoutes } from './chunk-routes.ts'
import { pictureRoutes } from './picture-routes.ts'
import { findNamed, findProven } from './queries.ts'
import { servingRoutes } from './serving.ts'
import { openStorage } from './storage.ts'
import { type Rows, sweep } from './sweep.ts'

const SWEEP_EVERY = 60 * 60_000
/** Before and behind the parser, in bytes: a chunk's worth, so that it arrives without a stop. */
const BUFFERED = 1024 * 1024

/**
 * Endpoints 5, 15, 27 and 38 to 42 of the interface document, and everything that is served.
 *
 * @throws StartupError when the upload folder cannot be written
 */
export function fileRoutes(context: Context): Routes {
  return async (app) => {
    const { db, log, settings } = context
    const storage = await openStorage(settings.uploadDir, settings.freeSpaceFloor)

    const rows: Rows = {
      joined: (keys) => findProven(db, storage, keys),
      named: (storedNames) => findNamed(db, storedNames),
    }
    await sweep(storage, settings.chunkTtl, rows, true)
    const timer = setInterval(
      () => {
        sweep(storage, settings.chunkTtl, rows, false).catch((error: unknown) => {
          log.warn({ err: error }, 'the upload folder could not be swept')
        })
      },
      Math.min(SWEEP_EVERY, settings.chunkTtl),
    )
    app.addHook('onClose', () => clearInterval(timer))

    await app.register(async (uploads) => {
      await uploads.register(multipart, {
        throwFileSizeLimit: false,
        highWaterMark: BUFFERED,
        fileHwm: BUFFERED,
      })
      await uploads.register(pictureRoutes(context, storage))
      await uploads.register(chunkRoutes(context, storage))
    })
    await app.register(servingRoutes(context, storage))
  }
}
