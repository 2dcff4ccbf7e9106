import t from 'tap'
import { fieldErrors } from './contract.ts'
import { expectAnswer } from './coverage.ts'
import { createGroup, joinGroup } from './groups.ts'
import { STRANGE_PICTURES } from './inputs.ts'
import { at, stringAt, type Json } from './json.ts'
import { register } from './people.ts'
import { serve } from './server.ts'

const NOBODY = '0123456789abcdef01234567'

const server = await serve(t)
const client = server.client()
const owner = await register(client, '群主')
const member = await register(client, '小明')
const other = await register(client, '小红')
for (const [person, sex, birthday] of [
  [owner, '男', '1999-12-31'],
  [member, '女', '2000-01-01'],
] as const) {
  await client.post('/update/user', { _id: person.id, nick: person.nick, sex, birthday })
}

const publicly = ({ id, nick }: typeof owner) => ({ _id: id, nick, imgUrl: '/user_pic1.jpeg' })

await t.test('a group is created with its owner', async (t) => {
  const made = { userId: owner.id, groupName: '一'.repeat(15), sign: '𠮷'.repeat(50) }
  expectAnswer(t, await client.post('/create/group', made), 14, 'success')
  const contacts = await client.get('/contacts/group', { userId: owner.id })
  const body = expectAnswer(t, contacts, 20, 'success', {
    data: [
      {
        groupId: { groupName: made.groupName, imgUrl: '/group_pic.png' },
        userId: owner.id,
        time: undefined,
        state: 1,
      },
    ],
  })
  const groupId = stringAt(body, 'data', 0, 'groupId', '_id')
  const home = await client.get('/home/group', { groupId, userId: owner.id })
  expectAnswer(t, home, 16, 'success', {
    data: {
      group: { _id: groupId, userId: owner.id, groupName: made.groupName, sign: made.sign },
      groupUser: [{ groupId, userId: { ...publicly(owner), sex: '男', birthday: '1999-12-31' } }],
      statis: { maleNum: 1, femaleNum: 0, is00sBornNum: 0 },
    },
    state: 1,
  })

  const withPicture = { userId: owner.id, groupName: '图', sign: '图', imgUrl: '/1-a.png' }
  expectAnswer(t, await client.post('/create/group', withPicture), 14, 'success')
  for (const imgUrl of STRANGE_PICTURES) {
    const answer = await client.post('/create/group', { ...withPicture, imgUrl })
    expectAnswer(t, answer, 14, 'error')
  }
  const without = { ...withPicture, groupName: '无图', imgUrl: '' }
  expectAnswer(t, await client.post('/create/group', without), 14, 'success')
  expectAnswer(t, await client.get('/contacts/group', { userId: owner.id }), 20, 'success', {
    data: [
      { groupId: { _id: groupId } },
      { groupId: { groupName: '图', imgUrl: '/1-a.png' } },
      { groupId: { groupName: '无图', imgUrl: '/group_pic.png' } },
    ],
  })
})

await t.test('a group that breaks rules is not created', async (t) => {
  const create = (form: object) => client.post('/create/group', { ...form })
  expectAnswer(t, await create({}), 14, '参数缺省')
  const long = { userId: owner.id, groupName: '𠮷'.repeat(16), sign: '二'.repeat(51) }
  const tooLong = fieldErrors(
    { path: 'groupName', msg: '群名最大不能超过15个字', value: long.groupName },
    { path: 'sign', msg: '群简介最大不能超过50个字', value: long.sign },
  )
  expectAnswer(t, await create(long), 14, '参数缺省', tooLong)
  const empty = fieldErrors(
    { path: 'groupName', msg: '群名不能为空', value: '' },
    { path: 'sign', msg: '群简介不能为空' },
  )
  expectAnswer(t, await create({ userId: owner.id, groupName: '' }), 14, '参数缺省', empty)
  const good = { userId: owner.id, groupName: 'x', sign: 'x' }
  expectAnswer(t, await create({ ...good, userId: NOBODY }), 14, 'error')
  expectAnswer(t, await create({ ...good, userId: 'x' }), 14, 'error')
  expectAnswer(t, await create({ ...good, groupName: ['a', 'b'] }), 14, '参数缺省', {
    data: (list: Json) => Array.isArray(list) && list.length === 1,
  })
  const { body } = await client.get('/search', { keyword: 'x' })
  t.equal(at(body, 'status'), 400)
})

await t.test('numbers are unique, of 13 digits, and find the group', async (t) => {
  const names = Array.from({ length: 64 }, (_, index) => `同时${index}`)
  const crowd = await register(client, '群友')
  const answers = await Promise.all(
    names.map((groupName) =>
      client.post('/create/group', { userId: crowd.id, groupName, sign: '同时' }),
    ),
  )
  for (const answer of answers) expectAnswer(t, answer, 14, 'success')
  const { body } = await client.get('/contacts/group', { userId: crowd.id })
  const made = at(body, 'data') as Json[]
  t.same(made.map((row) => at(row, 'groupId', 'groupName')).sort(), names.sort())
  const numbers = await Promise.all(
    made.map(async (row) => {
      const groupId = stringAt(row, 'groupId', '_id')
      const home = await client.get('/home/group', { groupId, userId: crowd.id })
      return { groupId, number: at(home.body, 'data', 'group', 'groupNumber') as number }
    }),
  )
  t.equal(new Set(numbers.map(({ number }) => number)).size, 64)
  for (const { number } of numbers) t.match(String(number), /^\d{13}$/)
  const [{ groupId, number } = { groupId: '', number: 0 }] = numbers
  expectAnswer(t, await client.get('/search', { keyword: String(number) }), 7, 'success', {
    data: { friendList: [], groupList: [{ _id: groupId, imgUrl: '/group_pic.png' }] },
  })
})

await t.test('who looks at a group', async (t) => {
  const groupId = await createGroup(client, owner, '看看')
  const look = async (userId: string, state: number, members: number) => {
    const answer = await client.get('/home/group', { groupId, userId })
    return expectAnswer(t, answer, 16, 'success', {
      data: { groupUser: (rows: Json) => Array.isArray(rows) && rows.length === members },
      state,
    })
  }
  await look(member.id, 2, 1)
  await client.post('/group/add', { groupId, userId: member.id })
  await look(member.id, 0, 1)
  await joinGroup(client, groupId, other, member)
  await look(owner.id, 1, 3)
  const body = await look(member.id, 1, 3)
  t.same(at(body, 'data', 'statis'), { maleNum: 1, femaleNum: 1, is00sBornNum: 1 })

  const members = await client.get('/get/groupUser', { groupId })
  expectAnswer(t, members, 17, 'success', {
    data: {
      groupUser: [owner, other, member].map((one) => ({ groupId, userId: publicly(one) })),
      groupCreateUserId: owner.id,
    },
  })
  const edited = await client.get('/get/update/group', { groupId, groupLeaderId: owner.id })
  expectAnswer(t, edited, 21, 'success', {
    data: {
      groupInfo: { _id: groupId, groupName: '看看', sign: 'sign', imgUrl: '/group_pic.png' },
      groupUserList: [other, member].map((one) => ({ groupId, userId: publicly(one) })),
    },
  })
  expectAnswer(t, await client.get('/contacts/group', { userId: member.id }), 20, 'success', {
    data: [{ groupId: { _id: groupId }, userId: member.id, time: /Z$/ }],
  })

  for (const id of [NOBODY, 'x', undefined]) {
    const asMember = { groupId: id, userId: member.id }
    expectAnswer(t, await client.get('/home/group', asMember), 16, 'error')
    expectAnswer(t, await client.get('/home/group', { groupId, userId: id }), 16, 'error')
    expectAnswer(t, await client.get('/get/groupUser', { groupId: id }), 17, 'error')
    expectAnswer(t, await client.get('/contacts/group', { userId: id }), 20, 'error')
    const asLeader = { groupId: id, groupLeaderId: owner.id }
    expectAnswer(t, await client.get('/get/update/group', asLeader), 21, 'error')
    const notLeader = { groupId, groupLeaderId: id }
    expectAnswer(t, await client.get('/get/update/group', notLeader), 21, 'error')
  }
  const led = { groupId, groupLeaderId: member.id }
  expectAnswer(t, await client.get('/get/update/group', led), 21, 'error')
})

await t.test('a group is changed', async (t) => {
  const groupId = await createGroup(client, owner, '旧名')
  const change = (form: object) => client.post('/update/groupInfo', { _id: groupId, ...form })
  const shown = async () => {
    const query = { groupId, groupLeaderId: owner.id }
    return at((await client.get('/get/update/group', query)).body, 'data', 'groupInfo')
  }
  const first = { groupName: '新名', sign: '新简介', imgUrl: '/1-新.png' }
  expectAnswer(t, await change(first), 22, 'success')
  t.same(await shown(), { _id: groupId, ...first })
  expectAnswer(t, await change({ groupName: '再改', sign: '再' }), 22, 'success')
  expectAnswer(t, await change({ groupName: '再改', sign: '再', imgUrl: '' }), 22, 'success')
  const wanted = { _id: groupId, groupName: '再改', sign: '再', imgUrl: '/1-新.png' }
  t.same(await shown(), wanted)

  const good = { groupName: 'a', sign: 'a' }
  const bad = [
    {},
    ...STRANGE_PICTURES.map((imgUrl) => ({ ...good, imgUrl })),
    { groupName: 'a' },
    { sign: 'a' },
    { ...good, groupName: '' },
    { ...good, groupName: '一'.repeat(16) },
    { ...good, sign: '一'.repeat(51) },
    { ...good, groupName: 'a\0' },
    { ...good, _id: NOBODY },
    { ...good, _id: 'x' },
  ]
  for (const form of bad) expectAnswer(t, await change(form), 22, 'error')
  t.same(await shown(), wanted)

  const found = await client.get('/search', { keyword: '再改' })
  expectAnswer(t, found, 7, 'success', { data: { groupList: [{ _id: groupId }] } })
  const { body } = await client.get('/search', { keyword: '旧名' })
  t.equal(at(body, 'status'), 400)
})
