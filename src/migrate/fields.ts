import type { Collection } from './mapping.ts'

const GROUP = ['userId', 'groupName', 'groupNumber', 'sign', 'imgUrl', 'creatTime'] as const
const MESSAGE = ['userId', 'message', 'msgType', 'time'] as const

/** The fields of documents that the server knows, besides `_id` and `__v`. */
export const FIELDS: Readonly<Record<Collection, readonly string[]>> = {
  users: 'phone password WaiFCode nick imgUrl sex birthday start sign'.split(' '),
  groups: GROUP,
  dissolved_groups: [...GROUP, 'dissolvedAt'],
  private_chats: [...MESSAGE, 'friendId', 'state'],
  group_chats: [...MESSAGE, 'groupId'],
  friends: ['userId', 'friendId', 'time', 'state'],
  group_users: ['groupId', 'userId', 'time', 'state'],
  spaces: ['userId', 'textDesc', 'photos', 'time'],
  space_comments: 'userId spaceId spaceCommentId type textarea fromId toId time'.split(' '),
  space_likes: ['spaceId', 'userId', 'time'],
  notes: ['userId', 'text', 'color', 'time'],
}
