import { type Queryable, statement } from '../../database/connection.ts'
import type { Group } from '../../database/schema.ts'
import type { WireTimes } from '../../wire/times.ts'
import { type Candidate, accepted } from '../candidates.ts'
import { date, type Document, objectId, whole } from '../extended-json.ts'
import { madeId } from '../made-ids.ts'
import type { Collection } from '../mapping.ts'
import type { Reader } from '../reader.ts'
import { refuseUnknown } from '../references.ts'
import { timeOfId } from '../times.ts'
import type { Translation } from '../translation.ts'

const DEFAULT_PICTURE = '/group_pic.png'

type Found = [
  id: string,
  ownerId: string,
  name: string,
  number: number,
  sign: string,
  avatarUrl: string,
  createdAt: Date,
  dissolvedAt: Date | null,
  membersVersion: number,
]

const found = statement<Found>(
  'import_find_groups',
  `select id, owner_id, name, number, sign, avatar_url, created_at, dissolved_at,
    members_version
  from groups where id = any ($1::text[])`,
)
// The conversation comes with the group, as it does when one is made here.
const stored = statement(
  'import_store_groups',
  `with stored as (
    insert into groups
      (id, owner_id, name, number, sign, avatar_url, created_at, dissolved_at, members_version)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[],
      $6::text[], $7::timestamptz[], $8::timestamptz[], $9::bigint[])
    on conflict (id) do update set owner_id = excluded.owner_id, name = excluded.name,
      number = excluded.number, sign = excluded.sign, avatar_url = excluded.avatar_url,
      created_at = excluded.created_at
    returning id
  )
  insert into conversations (kind, group_id)
  select 'group', s.id from stored s
  where not exists (select from conversations c where c.group_id = s.id)`,
)
// Whoever owns a living group belongs to it from the first, so that what a cut leaves is whole; the
// document of the membership takes the place of this row when it comes.
const ownersJoined = statement(
  'import_join_owners',
  `insert into group_members as m (id, group_id, user_id, state, created_at, joined_at, read_seq,
    sent_total, sent_when_read)
  select i.id, g.id, g.owner_id, 'member', g.created_at, g.created_at, c.last_seq, n.sent, n.sent
  from unnest($1::text[], $2::text[]) as i (group_id, id)
  join groups g on g.id = i.group_id and g.dissolved_at is null
  join conversations c on c.group_id = g.id
  cross join lateral (
    select count(*) as sent from messages s
    where s.conversation_id = c.id and s.sender_id = g.owner_id
  ) n
  on conflict (user_id, group_id) do update set state = 'member', joined_at = excluded.joined_at,
    start_seq = 0, read_seq = excluded.read_seq, sent_total = excluded.sent_total,
    sent_when_read = excluded.sent_when_read
  where m.state = 'requested'`,
)
const numberOwners = statement<[number: number, id: string]>(
  'import_number_owners',
  'select number, id from groups where number = any ($1::bigint[])',
)

/** Groups that live. */
export const groups: Translation<Group> = {
  ...translation('groups'),
  page: statement(
    'import_page_groups',
    'select id from groups where id > $1 and dissolved_at is null order by id limit $2',
  ),
}

/** Groups that were dissolved here; the original forgets them, so only exports of ours have any. */
export const dissolvedGroups: Translation<Group> = {
  ...translation('dissolved_groups'),
  page: statement(
    'import_page_dissolved_groups',
    'select id from groups where id > $1 and dissolved_at is not null order by id limit $2',
  ),
}

function translation(collection: Collection): Omit<Translation<Group>, 'page'> {
  return {
    collection,
    details: ['createdAt'],
    places: ['membersVersion'],
    read: (reader) => ({
      ...read(reader),
      dissolvedAt: collection === 'dissolved_groups' ? reader.time('dissolvedAt') : null,
    }),
    render,

    async resolve(run, candidates) {
      await refuseUnknown(run.db, candidates, 'users', ({ ownerId }) => [ownerId])
      await giveNumbers(run.db, candidates)
    },

    async store(db, rows) {
      await db.run(stored, [
        rows.map(({ id }) => id),
        rows.map(({ ownerId }) => ownerId),
        rows.map(({ name }) => name),
        rows.map(({ number }) => number),
        rows.map(({ sign }) => sign),
        rows.map(({ avatarUrl }) => avatarUrl),
        rows.map(({ createdAt }) => createdAt),
        rows.map(({ dissolvedAt }) => dissolvedAt),
        rows.map(({ membersVersion }) => membersVersion),
      ])
      const ids = rows.map(({ id }) => id)
      await db.run(ownersJoined, [ids, ids.map((id) => madeId(id, 'owner'))])
    },

    async find(db, ids) {
      const rows = await db.run(found, [ids])
      const all = rows.map(
        ([id, ownerId, name, number, sign, avatarUrl, createdAt, dissolvedAt, membersVersion]) => ({
          ...{ id, ownerId, name, number, sign, avatarUrl },
          ...{ createdAt, dissolvedAt, membersVersion },
        }),
      )
      return all.filter((row) => (row.dissolvedAt === null) === (collection === 'groups'))
    },
  }
}

function read(reader: Reader): Omit<Group, 'dissolvedAt'> {
  const name = reader.name('groupName', 15, '群聊', {
    cut: 'group-name-cut',
    given: 'group-name-given',
  })
  const number = reader.number('groupNumber') ?? 0
  const usable = number > 0
  if (!usable) reader.mended.add('group-number-given')
  return {
    id: reader.id,
    ownerId: reader.reference('userId'),
    name,
    number: usable ? number : timeOfId(reader.id).getTime(),
    sign: reader.cut(reader.text('sign') ?? '', 50, 'sign-cut'),
    avatarUrl: reader.picture('imgUrl', DEFAULT_PICTURE),
    createdAt: reader.detailedTime('createdAt') ?? reader.time('creatTime'),
    membersVersion: reader.detailedNumber('membersVersion') ?? 0,
  }
}

function render(row: Group, times: WireTimes): Document {
  return {
    _id: objectId(row.id),
    userId: objectId(row.ownerId),
    groupName: row.name,
    groupNumber: whole(row.number),
    sign: row.sign,
    imgUrl: row.avatarUrl,
    creatTime: times.day(row.createdAt),
    __v: whole(0),
    ...(row.dissolvedAt === null ? {} : { dissolvedAt: date(row.dissolvedAt) }),
  }
}

/** Of several groups with one number the first keeps it; the others get the next that is free. */
async function giveNumbers(db: Queryable, candidates: Candidate<Group>[]): Promise<void> {
  const checked = accepted(candidates)
  const owners = new Map(await db.run(numberOwners, [checked.map(({ row }) => row.number)]))
  for (const candidate of checked) {
    const { row, reader } = candidate
    const { id } = row
    let { number } = row
    if ((owners.get(number) ?? id) !== id) {
      reader.mended.add('group-number-given')
      number = timeOfId(id).getTime()
      while (((await ownerOf(db, owners, number)) ?? id) !== id) number += 1
      candidate.row = { ...row, number }
    }
    owners.set(number, id)
  }
}

async function ownerOf(db: Queryable, owners: Map<number, string>, number: number) {
  const known = owners.get(number)
  if (known !== undefined) return known
  const [row] = await db.run(numberOwners, [[number]])
  return row?.[1]
}
