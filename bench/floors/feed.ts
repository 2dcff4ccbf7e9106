/** The floor of the feed: likes and comments with their people, each list as columns of JSON. */
import type { WireTimes } from '../../src/wire/times.ts'

export const feedText = `with authors as (
    select friend_id as id from friendships where user_id = $1 and state = 'accepted'
    union all select $1
  ), shown as (
    select s.* from authors cross join lateral (
      select * from spaces where author_id = authors.id
      order by created_at desc, id desc limit $2::bigint + $3::bigint
    ) s
    order by created_at desc, id desc limit $2::bigint offset $3::bigint
  ), likes as (
    select l.* from shown join space_likes l on l.space_id = shown.id order by l.created_at, l.id
  ), said as (
    select c.* from shown join comments c on c.space_id = shown.id order by c.created_at, c.id
  ), people as (
    select author_id as id from shown union select user_id from likes
    union select author_id from said union select recipient_id from said
  )
  select
    (select json_build_array(json_agg(id), json_agg(author_id), json_agg(body),
      json_agg(photos), json_agg(created_at)) from shown),
    (select json_build_array(json_agg(id), json_agg(space_id), json_agg(user_id)) from likes),
    (select json_build_array(json_agg(id), json_agg(space_id), json_agg(parent_id),
      json_agg(author_id), json_agg(recipient_id), json_agg(body), json_agg(created_at)) from said),
    (select json_build_array(json_agg(u.id), json_agg(u.nick), json_agg(u.avatar_url))
      from people join users u using (id))`

type Texts = readonly (string | null)[]

/** Shapes a feed whose comments have no replies into the documented body. */
export function shapeFeed(row: readonly unknown[], userId: string, times: WireTimes) {
  const [spaces, likes, said, people] = row.map((text) => JSON.parse(text as string) as Texts[])
  const columns = (lists: Texts[] | undefined, ...numbers: number[]) =>
    numbers.map((number) => lists?.[number] ?? [])
  const [ids = [], nicks = [], pictures = []] = columns(people, 0, 1, 2)
  const byId = new Map(
    ids.map((_id, index) => [_id, { _id, nick: nicks[index], imgUrl: pictures[index] }]),
  )
  const minute = (text: string | null | undefined) => times.minute(new Date(text ?? ''))
  const [likeIds = [], liked = [], likers = []] = columns(likes, 0, 1, 2)
  const [saidIds = [], under = [], , authors = [], recipients = [], bodies = [], saidAt = []] =
    columns(said, 0, 1, 2, 3, 4, 5, 6)
  const placesIn = (list: Texts, id: string | null) =>
    list.flatMap((one, index) => (one === id ? [index] : []))
  const [spaceIds = [], by = [], texts = [], photos = [], at = []] = columns(spaces, 0, 1, 2, 3, 4)
  const data = spaceIds.map((_id, index) => {
    const likeList = placesIn(liked, _id).map((n) => ({
      _id: likeIds[n],
      userId: { _id: likers[n], nick: byId.get(likers[n] ?? '')?.nick },
    }))
    const commentList = placesIn(under, _id).map((n) => ({
      _id: saidIds[n],
      userId: byId.get(authors[n] ?? ''),
      spaceId: _id,
      type: 0,
      textarea: bodies[n],
      fromId: authors[n],
      toId: recipients[n],
      time: minute(saidAt[n]),
      __v: 0,
    }))
    return {
      _id,
      userId: byId.get(by[index] ?? ''),
      textDesc: texts[index],
      photos: photos[index],
      time: minute(at[index]),
      isLike: likeList.some(({ userId: { _id: liker } }) => liker === userId),
      likeList,
      commentList,
      replyList: commentList.map(() => []),
    }
  })
  return { status: 200, data }
}
