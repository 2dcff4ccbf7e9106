import { randomBytes } from 'node:crypto'
import { freePhone } from '../contract/people.ts'
import type { Things } from './target.ts'

/** What each parameter of the document may rightly be, so that inputs are wrong in one place. */
type Values = (things: Things) => readonly string[]

const user: Values = ({ people }) => people.map(({ id }) => id)
/** Those of whom much is made: long lists of theirs would cost more than the inputs. */
const writer: Values = ({ people }) => people.slice(2).map(({ id }) => id)
const group: Values = (things) => [things.group]
const space: Values = (things) => [things.space]
const text: Values = () => ['你好', 'a & b', '😀']
const page: Values = () => ['1', '2', '1000000']
const imgUrl: Values = () => ['/user_pic1.jpeg', '']
const hash: Values = () => [randomBytes(16).toString('hex'), '0'.repeat(32)]
const fileName: Values = () => ['电影.mp4', 'a', '.b']
const pair = { userId: user, friendId: user }
const membership = { userId: user, groupId: group }
const me = { userId: user }

/** The parameters of every endpoint, by its number in the document; `type` is in the path. */
export const endpointFields: Readonly<Record<number, Readonly<Record<string, Values>>>> = {
  // A real password would be hashed, which takes longer than all the rest.
  1: { phone: () => [freePhone()], password: () => [''], nick: text },
  2: { phone: () => [freePhone()], password: text },
  3: { _id: user, urlId: user },
  4: { _id: user },
  5: { _id: user },
  6: {
    _id: user,
    nick: text,
    sex: () => ['男', '女', '未知'],
    birthday: () => ['2000-01-01', ''],
    sign: text,
    imgUrl,
  },
  7: { keyword: text },
  8: pair,
  9: me,
  10: pair,
  11: me,
  12: pair,
  13: pair,
  14: { userId: writer, groupName: text, sign: text, imgUrl },
  15: {},
  16: membership,
  17: { groupId: group },
  18: membership,
  19: membership,
  20: me,
  21: { groupId: group, groupLeaderId: user },
  22: { _id: group, groupName: text, sign: text, imgUrl },
  23: { groupId: group, userId: writer },
  24: { groupId: () => ['f'.repeat(24)] },
  25: me,
  26: membership,
  27: {},
  28: { userId: writer, textDesc: text, photos: () => ['["/user2.png"]', '/user2.png', ''] },
  29: { userId: user, pageNum: page },
  30: { _id: () => ['f'.repeat(24)] },
  31: { userId: (things) => user(things).slice(0, 2) },
  32: { spaceId: space, userId: user },
  33: {
    userId: user,
    spaceId: space,
    textarea: text,
    fromId: user,
    toId: user,
    spaceCommentId: ({ comment }) => [comment, ''],
    type: () => ['0', '1'],
  },
  34: { _id: () => ['f'.repeat(24)], type: () => ['0', '1'] },
  35: { _id: () => ['f'.repeat(24)] },
  36: { ...pair, pageNum: page },
  37: { ...membership, pageNum: page },
  38: {},
  39: {},
  40: {
    fileHash: () => ['0'.repeat(32)],
    chunkHash: () => [`${'0'.repeat(32)}-0`, `${'0'.repeat(32)}-99999`],
    type: () => ['private', 'group'],
  },
  41: { fileHash: hash, fileName, size: () => ['1'], type: () => ['private', 'group'] },
  42: { fileHash: hash, fileName, type: () => ['private', 'group'] },
  43: me,
  44: {
    userId: user,
    id: (things) => [...user(things), things.group],
    type: () => ['friend', 'group'],
  },
  45: { userId: writer, text, color: () => ['#fff', ''], time: () => ['', '2023-11-29'] },
  46: { pageNum: page },
  47: { _id: () => ['f'.repeat(24)] },
}
