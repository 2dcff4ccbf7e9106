import { type Queryable, statement } from '../database/connection.ts'

const counts = statement<[friends: number, groups: number]>(
  'notices_count',
  `select
    (select count(*) from friendships where user_id = $1 and state = 'received'),
    (select count(*) from groups g join group_members m on m.group_id = g.id
      where g.owner_id = $1 and g.dissolved_at is null and m.state = 'requested')`,
)

/** Applications that wait for somebody: to them, and to the groups that they own. */
export async function countNotices(db: Queryable, userId: string) {
  const [row] = await db.run(counts, [userId])
  return { friendNoticeNum: row?.[0] ?? 0, groupNoticeNum: row?.[1] ?? 0 }
}
