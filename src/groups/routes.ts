import { z } from 'zod'
import { findUser } from '../accounts/queries.ts'
import type { Context } from '../context.ts'
import { mayShow } from '../files/avatars.ts'
import type { Realtime } from '../realtime/realtime.ts'
import { type Answer, failed, failedWithData, FORBIDDEN } from '../wire/answers.ts'
import { isForbidden } from '../wire/access.ts'
import type { Routes } from '../wire/endpoint.ts'
import { atMost, requiredId, text } from '../wire/fields.ts'
import type { Applying } from './applying.ts'
import {
  applicationDocument,
  groupHomeDocument,
  memberDocument,
  membershipDocument,
} from './documents.ts'
import type { Memberships, Outcome } from './memberships.ts'
import {
  countMembers,
  findGroup,
  findGroupHome,
  listApplications,
  listMembers,
  listMemberships,
  updateGroup,
} from './queries.ts'

const DEFAULT_PICTURE = '/group_pic.png'

const CREATED: Answer = { status: 200, msg: '创建成功' }
const UPDATED: Answer = { status: 200, msg: '修改成功' }
const LEFT: Answer = { status: 200, msg: '已退出' }
const DISSOLVED: Answer = { status: 200, msg: '已解散' }
const AGREED: Answer = { status: 200, msg: '添加成功' }
const REFUSED: Answer = { status: 200, msg: '已拒绝' }

const groupFields = {
  groupName: atMost(15, '群名最大不能超过15个字').min(1, '群名不能为空').prefault(''),
  sign: atMost(50, '群简介最大不能超过50个字').min(1, '群简介不能为空').prefault(''),
  imgUrl: text().max(1024).optional(),
}
const memberFields = z.object({ userId: requiredId(), groupId: requiredId() })
const groupQuery = z.object({ groupId: requiredId() })
const userQuery = z.object({ userId: requiredId() })
const asUser = { as: 'userId' }
const asOwner = { who: { owner: 'groupId' } }

/** Endpoints 14 and 16 to 26 of the interface document. */
export function groupRoutes(
  { db, times }: Context,
  { notices }: Realtime,
  memberships: Memberships,
  applying: Applying,
): Routes {
  return async (app) => {
    const createFailed = failed('创建失败')
    app.post(
      '/create/group',
      {
        config: { access: asUser, failure: createFailed, lists405: true },
        schema: { body: z.object({ userId: requiredId('userId参数不能为空'), ...groupFields }) },
      },
      async ({ body: { userId, groupName, sign, imgUrl } }) => {
        const avatarUrl = imgUrl || DEFAULT_PICTURE
        if (!mayShow(avatarUrl) || (await findUser(db, userId)) === undefined) return createFailed
        await memberships.create({ ownerId: userId, name: groupName, sign, avatarUrl })
        return CREATED
      },
    )

    app.get(
      '/home/group',
      {
        config: { access: asUser, failure: failedWithData('服务器错误') },
        schema: { querystring: memberFields },
      },
      async ({ query: { groupId, userId } }) => {
        const [home, members] = await Promise.all([
          findGroupHome(db, groupId, userId),
          listMembers(db, groupId),
        ])
        if (home === undefined) return failedWithData('服务器错误')
        const counts = await countMembers(db, groupId, members)
        return groupHomeDocument(home, members, counts, times)
      },
    )

    const membersFailed = failed('服务器错误')
    app.get(
      '/get/groupUser',
      { config: { access: 'user', failure: membersFailed }, schema: { querystring: groupQuery } },
      async ({ query: { groupId } }) => {
        const [group, members] = await Promise.all([
          findGroup(db, groupId),
          listMembers(db, groupId),
        ])
        if (group === undefined) return membersFailed
        const groupUser = members.map((row) => memberDocument(groupId, row, times))
        return { status: 200, data: { groupUser, groupCreateUserId: group.ownerId } }
      },
    )

    app.post(
      '/group/add',
      { config: applying.endpoint, schema: { body: applying.body } },
      ({ body }) => applying.apply(body),
    )

    const refuseFailed = failed('服务器错误')
    app.post(
      '/group/refuse',
      { config: { access: asOwner, failure: refuseFailed }, schema: { body: memberFields } },
      async ({ body: { groupId, userId }, caller }) =>
        answerTo(await memberships.refuse(groupId, userId, caller), REFUSED, refuseFailed),
    )

    app.get(
      '/contacts/group',
      {
        config: { access: asUser, failure: failed('请求失败') },
        schema: { querystring: userQuery },
      },
      async ({ query: { userId } }) => {
        const rows = await listMemberships(db, userId)
        if (rows === undefined) return failed('请求失败')
        return { status: 200, data: rows.map((row) => membershipDocument(userId, row, times)) }
      },
    )

    app.get(
      '/get/update/group',
      {
        config: {
          access: { as: 'groupLeaderId', who: { owner: 'groupId' }, otherwise: 404 },
          failure: membersFailed,
        },
        schema: { querystring: groupQuery.extend({ groupLeaderId: requiredId() }) },
      },
      async ({ query: { groupId, groupLeaderId } }) => {
        const [group, members] = await Promise.all([
          findGroup(db, groupId),
          listMembers(db, groupId),
        ])
        if (group?.ownerId !== groupLeaderId) return membersFailed
        const { name: groupName, sign, avatarUrl: imgUrl } = group
        const others = members.filter(([, userId]) => userId !== groupLeaderId)
        return {
          status: 200,
          data: {
            groupInfo: { _id: groupId, groupName, sign, imgUrl },
            groupUserList: others.map((row) => memberDocument(groupId, row, times)),
          },
        }
      },
    )

    const updateFailed = failed('修改失败')
    app.post(
      '/update/groupInfo',
      {
        config: { access: { who: { owner: '_id' } }, failure: updateFailed },
        schema: { body: z.object({ _id: requiredId(), ...groupFields }) },
      },
      async ({ body: { _id, groupName, sign, imgUrl }, caller }) => {
        const group = await findGroup(db, _id)
        if (isForbidden(caller, group?.ownerId)) return FORBIDDEN
        if (group === undefined) return updateFailed
        if (imgUrl && !mayShow(imgUrl, group.avatarUrl)) return updateFailed
        const changes = { name: groupName, sign, ...(imgUrl ? { avatarUrl: imgUrl } : {}) }
        return (await updateGroup(db, _id, changes)) ? UPDATED : updateFailed
      },
    )

    const removeFailed = failed('移除失败')
    app.get(
      '/del/groupUser',
      {
        config: { access: { who: { owner: 'groupId', self: 'userId' } }, failure: removeFailed },
        schema: { querystring: memberFields },
      },
      async ({ query: { groupId, userId }, caller }) =>
        answerTo(await memberships.remove(groupId, userId, caller), LEFT, removeFailed),
    )

    const dissolveFailed = failed('error')
    app.get(
      '/del/group',
      { config: { access: asOwner, failure: dissolveFailed }, schema: { querystring: groupQuery } },
      async ({ query: { groupId }, caller }) =>
        answerTo(await memberships.dissolve(groupId, caller), DISSOLVED, dissolveFailed),
    )

    app.get(
      '/get/group/noagree',
      {
        config: { access: asUser, failure: failedWithData('服务器错误') },
        schema: { querystring: userQuery },
      },
      async ({ query: { userId } }) => {
        const rows = await listApplications(db, userId)
        if (rows === undefined) return failedWithData('服务器错误')
        return { status: 200, data: rows.map((row) => applicationDocument(row, times)) }
      },
    )

    const agreeFailed = failed('添加失败')
    app.post(
      '/group/agree',
      { config: { access: asOwner, failure: agreeFailed }, schema: { body: memberFields } },
      async ({ body: { groupId, userId }, caller }) => {
        const outcome = await memberships.agree(groupId, userId, caller)
        if (outcome === 'done') notices.agreed(userId)
        return answerTo(outcome, AGREED, agreeFailed)
      },
    )
  }
}

function answerTo(outcome: Outcome, done: Answer, failure: Answer): Answer {
  return { done, refused: failure, forbidden: FORBIDDEN }[outcome]
}
