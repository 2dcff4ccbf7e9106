import { comments } from './collections/comments.ts'
import { friends } from './collections/friends.ts'
import { dissolvedGroups, groups } from './collections/groups.ts'
import { likes } from './collections/likes.ts'
import { members } from './collections/members.ts'
import { groupMessages, privateMessages } from './collections/messages.ts'
import { notes } from './collections/notes.ts'
import { spaces } from './collections/spaces.ts'
import { users } from './collections/users.ts'
import type { Collection } from './mapping.ts'
import type { Translation } from './translation.ts'

/** Any row: of what it holds only the id is known. */
export interface AnyRow {
  readonly id: string
}

/** How each collection is turned into rows and back. */
export const TRANSLATIONS: Readonly<Record<Collection, Translation<AnyRow>>> = {
  users,
  groups,
  dissolved_groups: dissolvedGroups,
  private_chats: privateMessages,
  group_chats: groupMessages,
  friends,
  group_users: members,
  spaces,
  space_comments: comments,
  space_likes: likes,
  notes,
}
