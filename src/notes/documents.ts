import { personDocument } from '../accounts/documents.ts'
import type { WireTimes } from '../wire/times.ts'
import type { NoteRow } from './queries.ts'

/** One entry of endpoint 46. */
export function noteDocument(row: NoteRow, times: WireTimes) {
  const [_id, authorId, nick, avatarUrl, text, color, writtenAt] = row
  return {
    _id,
    userId: personDocument(authorId, nick, avatarUrl),
    text,
    color,
    time: times.long(writtenAt),
    __v: 0,
  }
}
