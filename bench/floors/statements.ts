/**
 * What the list endpoints cannot do without: one statement each that fetches just what is in the
 * answer, and its shaping. No check of rights or input.
 */
import type { WireTimes } from '../../src/wire/times.ts'
import { feedText, shapeFeed } from './feed.ts'

type Query = Record<string, string>
type Row = readonly (string | number | Date | null)[]

/** One endpoint of the floor. */
export interface Floor {
  readonly path: string
  readonly text: string
  readonly values: (query: Query) => unknown[]
  readonly shape: (rows: readonly Row[], query: Query, times: WireTimes) => unknown
}

const KINDS = 'text picture video file emoji markdown voice_call video_call screen_share'.split(' ')
const typeOf = (kind: Row[number] | undefined) => KINDS.indexOf(kind as string)

const SEXES = { male: '男', female: '女', unknown: '未知' }

export const floors: readonly Floor[] = [
  {
    path: '/message/friend',
    text: `select me.nick, me.avatar_url, friend.nick, friend.avatar_url, mine.read_seq,
        theirs.read_seq, m.id, m.seq, m.sender_id, m.kind, m.body, m.sent_at
      from friendships mine
      join friendships theirs on theirs.user_id = $2 and theirs.friend_id = $1
      join users me on me.id = $1
      join users friend on friend.id = $2
      join conversations c on c.id = mine.conversation_id
      cross join lateral (
        select * from messages where conversation_id = c.id and seq > c.last_seq - $3::bigint * 20
          and seq <= c.last_seq - ($3::bigint - 1) * 20
        order by seq limit 20
      ) m
      where mine.user_id = $1 and mine.friend_id = $2`,
    values: ({ userId, friendId, pageNum }) => [userId, friendId, pageNum],
    shape: (rows, { userId, friendId }, times) => {
      const [nick, avatar, friendNick, friendAvatar, readByMe, readByFriend] = rows[0] as Row
      const me = { _id: userId, nick, imgUrl: avatar }
      const friend = { _id: friendId, nick: friendNick, imgUrl: friendAvatar }
      return {
        status: 200,
        data: {
          friendNick: { _id: friendId, nick: friendNick },
          messageList: rows.map((row) => {
            const mine = row[8] === userId
            return {
              _id: row[6],
              userId: mine ? me : friend,
              friendId: mine ? friend : me,
              message: row[10],
              msgType: typeOf(row[9]),
              time: times.long(row[11] as Date),
              state: Number(row[7]) <= Number(mine ? readByFriend : readByMe) ? 1 : 0,
              __v: 0,
            }
          }),
        },
      }
    },
  },
  {
    path: '/message/group',
    text: `select g.name, m.id, m.sender_id, u.nick, u.avatar_url, m.kind, m.body, m.sent_at
      from groups g
      join conversations c on c.group_id = g.id
      cross join lateral (
        select * from messages where conversation_id = c.id and seq > c.last_seq - $2::bigint * 20
          and seq <= c.last_seq - ($2::bigint - 1) * 20
        order by seq limit 20
      ) m
      join users u on u.id = m.sender_id
      where g.id = $1
      order by m.seq`,
    values: ({ groupId, pageNum }) => [groupId, pageNum],
    shape: (rows, { groupId }, times) => ({
      status: 200,
      data: {
        groupNick: { _id: groupId, groupName: rows[0]?.[0] },
        messageList: rows.map((row) => ({
          _id: row[1],
          groupId,
          userId: { _id: row[2], nick: row[3], imgUrl: row[4] },
          message: row[6],
          msgType: typeOf(row[5]),
          time: times.long(row[7] as Date),
          __v: 0,
        })),
      },
    }),
  },
  {
    path: '/message/list',
    text: `select c.kind, u.id, u.nick, u.avatar_url, m.id, m.kind, m.body, m.sent_at,
        c.last_seq - f.read_seq - (f.sent_total - f.sent_when_read), m.position
      from friendships f
      join conversations c on c.id = f.conversation_id
      join messages m on m.conversation_id = c.id and m.seq = c.last_seq
      join users u on u.id = f.friend_id
      where f.user_id = $1 and f.state = 'accepted'
      union all
      select c.kind, g.id, g.name, g.avatar_url, m.id, m.kind, m.body, m.sent_at,
        c.last_seq - gm.read_seq - (gm.sent_total - gm.sent_when_read), m.position
      from group_members gm
      join groups g on g.id = gm.group_id
      join conversations c on c.group_id = g.id
      join messages m on m.conversation_id = c.id and m.seq = c.last_seq
      where gm.user_id = $1 and gm.state = 'member'
      order by 8 desc, 10 desc`,
    values: ({ userId }) => [userId],
    shape: (rows, _query, times) => ({
      status: 200,
      data: rows.map((row) => {
        const [kind, _id, name, imgUrl, messageId, messageKind, message, sentAt, unread] = row
        const time = times.long(sentAt as Date)
        const lastMsg = { message, msgType: typeOf(messageKind), time }
        return kind === 'private'
          ? {
              _id,
              nick: name,
              imgUrl,
              lastMsg: { _id: messageId, ...lastMsg },
              type: 'friendChat',
              unreadMsgCount: unread,
            }
          : { _id, groupName: name, imgUrl, lastMsg, type: 'groupChat', unreadMsgCount: unread }
      }),
    }),
  },
  {
    path: '/contacts/friend',
    text: `select f.id, u.id, u.nick, u.avatar_url, u.sign, f.created_at
      from friendships f join users u on u.id = f.friend_id
      where f.user_id = $1 and f.state = 'accepted' order by f.created_at, f.id`,
    values: ({ userId }) => [userId],
    shape: (rows, { userId }) => ({
      status: 200,
      data: rows.map(([_id, friendId, nick, imgUrl, sign, createdAt]) => ({
        _id,
        userId,
        friendId: { _id: friendId, nick, imgUrl, sign },
        time: (createdAt as Date).toISOString(),
        state: 1,
        __v: 0,
      })),
    }),
  },
  {
    path: '/home/group',
    text: `select g.owner_id, g.name, g.number, g.sign, g.avatar_url, g.created_at, mine.state, m.id,
        u.id, u.nick, u.avatar_url, u.sex, u.birthday, m.created_at
      from groups g
      join group_members m on m.group_id = g.id and m.state = 'member'
      join users u on u.id = m.user_id
      left join group_members mine on mine.group_id = g.id and mine.user_id = $2
      where g.id = $1
      order by u.id = g.owner_id desc, m.joined_at, m.id`,
    values: ({ groupId, userId }) => [groupId, userId],
    shape: (rows, { groupId }, times) => {
      const [owner, groupName, number, sign, imgUrl, createdAt, state] = rows[0] as Row
      const count = (is: (row: Row) => boolean) => rows.filter(is).length
      return {
        status: 200,
        data: {
          group: {
            _id: groupId,
            userId: owner,
            groupName,
            groupNumber: Number(number),
            sign,
            imgUrl,
            creatTime: times.day(createdAt as Date),
            __v: 0,
          },
          groupUser: rows.map((row) => ({
            _id: row[7],
            groupId,
            userId: {
              _id: row[8],
              nick: row[9],
              imgUrl: row[10],
              sex: SEXES[row[11] as keyof typeof SEXES],
              birthday: row[12] ?? '',
            },
            ...(row[8] === owner ? {} : { time: (row[13] as Date).toISOString() }),
            state: 1,
            __v: 0,
          })),
          statis: {
            maleNum: count((row) => row[11] === 'male'),
            femaleNum: count((row) => row[11] === 'female'),
            is00sBornNum: count((row) => String(row[12]) >= '2000-01-01'),
          },
        },
        state: state === 'member' ? 1 : 2,
      }
    },
  },
  {
    path: '/space/get',
    text: feedText,
    values: ({ userId, pageNum }) => [userId, 20, 20 * (Number(pageNum) - 1)],
    shape: ([row], { userId = '' }, times) => shapeFeed(row ?? [], userId, times),
  },
]
