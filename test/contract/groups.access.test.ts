import t from 'tap'
import { expectAck, expectAnswer } from './coverage.ts'
import { createGroup } from './groups.ts'
import { at } from './json.ts'
import { register, textMessage, type Person } from './people.ts'
import { serve } from './server.ts'

for (const mode of ['open', 'token']) {
  await t.test(`with tokens in ${mode} mode, only the owner manages`, async (t) => {
    const server = await serve(t, { AUTH_MODE: mode })
    const nobody = server.client()
    const owner = await register(nobody, '群主')
    const member = await register(nobody, '小明')
    const other = await register(nobody, '小红')
    const as = ({ token }: Person) => server.client({ token })
    const groupId = await createGroup(as(owner), owner, '我的')
    const userId = member.id

    const forbidden = async (person: Person, ...calls: [number, string, object][]) => {
      for (const [number, url, fields] of calls) {
        const client = as(person)
        const get = url.startsWith('/del') || url.startsWith('/get') || url.startsWith('/home')
        const input = { ...fields } as Record<string, string>
        const answer = await (get ? client.get(url, input) : client.post(url, input))
        expectAnswer(t, answer, number, '403')
      }
    }

    await forbidden(
      other,
      [14, '/create/group', { userId, groupName: 'x', sign: 'x' }],
      [16, '/home/group', { groupId, userId }],
      [18, '/group/add', { groupId, userId }],
      [18, '/login', { groupId, userId }],
      [21, '/get/update/group', { groupId, groupLeaderId: owner.id }],
      [22, '/update/groupInfo', { _id: groupId, groupName: 'x', sign: 'x' }],
      [25, '/get/group/noagree', { userId: owner.id }],
    )
    expectAnswer(t, await as(member).post('/login', { groupId, userId }), 18, 'success')
    const decide = [
      [26, '/group/agree', { groupId, userId }],
      [19, '/group/refuse', { groupId, userId }],
    ] as [number, string, object][]
    await forbidden(member, ...decide)
    await forbidden(other, ...decide)
    const asOwner = as(owner)
    expectAnswer(t, await asOwner.post('/group/refuse', { groupId, userId }), 19, 'success')
    expectAnswer(t, await as(member).post('/group/add', { groupId, userId }), 18, 'success')
    expectAnswer(t, await asOwner.post('/group/agree', { groupId, userId }), 26, 'success')

    await forbidden(
      other,
      [23, '/del/groupUser', { groupId, userId }],
      [23, '/del/groupUser', { groupId, userId: owner.id }],
      [24, '/del/group', { groupId }],
    )
    await forbidden(
      member,
      [23, '/del/groupUser', { groupId, userId: owner.id }],
      [24, '/del/group', { groupId }],
    )
    const leave = { groupId, userId }
    expectAnswer(t, await as(other).get('/get/groupUser', { groupId }), 17, 'success')
    expectAnswer(t, await asOwner.get('/del/groupUser', leave), 23, 'success')
    await as(member).post('/group/add', { groupId, userId })
    await asOwner.post('/group/agree', { groupId, userId })
    expectAnswer(t, await as(member).get('/del/groupUser', leave), 23, 'success')
    const change = { _id: groupId, groupName: '改了', sign: '改了' }
    expectAnswer(t, await asOwner.post('/update/groupInfo', change), 22, 'success')

    const socket = await as(other).connect()
    const ack = await socket.emitWithAck('login', owner.id)
    expectAck(t, 'login', ack, 403)
    const sent = textMessage(owner, 'x')
    const chat = await socket.emitWithAck('group_chat', sent, owner.id, groupId)
    expectAck(t, 'group_chat', chat, 403)
    socket.close()

    if (mode === 'token') {
      const { body } = await nobody.post('/login', { groupId, userId })
      t.equal(at(body, 'status'), 401)
      expectAnswer(t, await nobody.get('/del/group', { groupId }), 24, '401')
    }
    expectAnswer(t, await asOwner.get('/del/group', { groupId }), 24, 'success')
  })
}
