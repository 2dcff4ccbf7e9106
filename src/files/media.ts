import { fileTypeFromFile } from 'file-type'

/** What nobody has recognised, and what is served for all that is not shown inline. */
export const UNKNOWN = 'application/octet-stream'

/** What the client can show as a picture, and nothing that can carry a script. */
const PICTURES = new Set([
  'image/jpeg',
  'image/png',
  'image/apng',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
  'image/x-icon',
])
const SOUND_AND_VIDEO = new Set([
  'video/mp4',
  'video/x-m4v',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mpeg',
  'audio/mp4',
  'audio/x-m4a',
  'audio/aac',
  'audio/ogg',
  'audio/wav',
  'audio/flac',
])

/** The media type of a file, judged by its content alone. */
export async function mediaTypeOf(path: string): Promise<string> {
  const found = await fileTypeFromFile(path).catch((error: unknown) => {
    // A file that ends too early or contradicts itself is of no known type.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error
    return undefined
  })
  return found?.mime.split(';')[0] ?? UNKNOWN
}

export function isPicture(mediaType: string): boolean {
  return PICTURES.has(mediaType)
}

/** Whether a browser may show it in place; all else is served as a download of unknown type. */
export function isShownInline(mediaType: string): boolean {
  return PICTURES.has(mediaType) || SOUND_AND_VIDEO.has(mediaType)
}
