import { z } from 'zod'
import type { Context } from '../context.ts'
import { type Answer, failed } from '../wire/answers.ts'
import { drainLimit } from '../wire/bodies.ts'
import type { Routes } from '../wire/endpoint.ts'
import { createArrivals } from './arrivals.ts'
import { createChunkStore } from './chunks.ts'
import { receiveForm } from './form.ts'
import { createMerge } from './merge.ts'
import { chunkIndex, isFileHash, isFileName, UNNAMED } from './names.ts'
import { findUpload } from './queries.ts'
import type { Storage } from './storage.ts'

/** Size of the client's chunks; the last one is smaller (behaviour.md 7). */
const CHUNK = 1024 * 1024

const UPLOADED: Answer = { status: 200, msg: '上传成功' }
const UPLOAD_FAILED = failed('上传失败')
const MERGE_FAILED: Answer = { status: 401, msg: '合并失败,请重新上传' }
const VERIFY_FAILED: Answer = { status: 404, data: { shouldUpload: true, msg: '上传失败' } }

// Both types share their files: a key found under one counts for the other.
const params = z.object({ type: z.enum(['private', 'group']) })
// `size` is not read: it is optional, and says the size of a chunk or of the file.
const body = z.object({
  fileHash: z.string().refine(isFileHash),
  fileName: z.string().refine(isFileName),
})

/** What the temporary file of a chunk tells other servers on the folder. */
function labelOf(fields: ReadonlyMap<string, string>): string {
  const fileHash = fields.get('fileHash')
  return isFileHash(fileHash) ? fileHash : UNNAMED
}

/** Endpoints 40, 41 and 42 of the interface document. */
export function chunkRoutes(context: Context, storage: Storage): Routes {
  const { db, settings } = context
  const store = createChunkStore(storage)
  const arrivals = createArrivals(storage)
  const merge = createMerge(context, storage, store, arrivals)
  const mostDrained = drainLimit(settings)
  const mostChunks = Math.ceil(settings.fileLimit / CHUNK)
  const isProven = async (key: string) => (await findUpload(db, storage, key))?.proven === true

  return async (app) => {
    app.post(
      '/chat/file/:type',
      { config: { access: 'user', failure: UPLOAD_FAILED }, schema: { params } },
      async (request, reply) => {
        const arrival = arrivals.begin(() => request.raw.socket.bytesRead)
        try {
          const form = await receiveForm(request, reply, storage, {
            fileSize: settings.chunkLimit,
            files: 1,
            mostDrained,
            hash: false,
            label: labelOf,
            onField(name, value) {
              if (name === 'fileHash') arrival.fileHash = value
            },
          })
          if (form === undefined) return UPLOAD_FAILED
          const { fileHash } = arrival
          const index = chunkIndex(form.fields.get('chunkHash') ?? '', fileHash ?? '')
          const [chunk] = form.files
          const taken = fileHash !== undefined && chunk !== undefined && index !== undefined
          // Only this chunk: anybody may send one, so it must not harm those that are there.
          if (!taken || index >= mostChunks) {
            await form.discard()
            return UPLOAD_FAILED
          }
          const first = await store.store(fileHash, index, chunk.part)
          // A repetition that came after the merge would lie about until it expires.
          if (first && (await isProven(fileHash))) await store.discard(fileHash)
          return UPLOADED
        } finally {
          arrival.end()
        }
      },
    )

    app.post(
      '/merge/:type',
      { config: { access: 'user', failure: MERGE_FAILED }, schema: { params, body } },
      async ({ body: { fileHash, fileName }, caller }) => {
        const storedName = await merge({ fileHash, fileName, uploaderId: caller })
        if (storedName === undefined) return MERGE_FAILED
        return { status: 200, msg: '合并成功', url: `/${storedName}` }
      },
    )

    app.post(
      '/verify/:type',
      { config: { access: 'user', failure: VERIFY_FAILED }, schema: { params, body } },
      async ({ body: { fileHash } }) => {
        const known = await findUpload(db, storage, fileHash)
        if (known?.proven === true) {
          return { status: 200, data: { shouldUpload: false, url: `/${known.storedName}` } }
        }
        const indexes = await store.list(fileHash)
        const existChunks = indexes.map((index) => `${fileHash}-${index}`)
        return { status: 200, data: { shouldUpload: true, existChunks } }
      },
    )
  }
}
