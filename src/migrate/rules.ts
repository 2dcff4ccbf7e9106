/**
 * Everything that can happen to a document on its way in, besides fitting as it is. Each name is
 * explained in docs/migration.md and has a test.
 */

/** By which rules a document is mended; its original form is remembered. */
export const MENDINGS = [
  'time-from-id',
  'id-lower-cased',
  'number-from-text',
  'text-from-value',
  'text-cleaned',
  'password-plain',
  'password-md5',
  'password-missing',
  'password-unusable',
  'phone-tidied',
  'code-from-phone',
  'start-from-birthday',
  'nick-given',
  'nick-cut',
  'sign-cut',
  'picture-given',
  'sex-unknown',
  'birthday-tidied',
  'birthday-dropped',
  'group-name-given',
  'group-name-cut',
  'group-number-given',
  'owner-joined',
  'friend-mirrored',
  'friend-agreed',
  'friend-turned',
  'message-joined',
  'message-empty',
  'message-defused',
  'type-unknown',
  'read-assumed',
  'read-after-unread',
  'late-message-read',
  'photos-from-text',
  'photos-cleaned',
  'writer-from-user',
  'recipient-given',
  'reply-moved',
  'color-given',
] as const
export type Mending = (typeof MENDINGS)[number]

/** For which reasons a document is kept in the quarantine instead. */
export const REASONS = [
  'not-decodable',
  'collection-unknown',
  'field-twice',
  'id-unusable',
  'id-twice',
  'reference-unusable',
  'user-unknown',
  'group-unknown',
  'group-dissolved',
  'space-unknown',
  'comment-unknown',
  'phone-unusable',
  'phone-taken',
  'state-unknown',
  'friend-self',
  'friend-doubled',
  'member-doubled',
  'like-doubled',
  'message-to-oneself',
  'message-changed',
  'space-empty',
] as const
export type Reason = (typeof REASONS)[number]

/** Why a document goes to the quarantine; thrown while it is read. */
export class Rejection extends Error {
  readonly reason: Reason
  readonly detail: string

  constructor(reason: Reason, detail = '') {
    super(`${reason}: ${detail}`)
    this.reason = reason
    this.detail = detail
  }
}
