import { z } from 'zod'
import type { Context } from '../context.ts'
import { isUniqueViolation } from '../database/connection.ts'
import { mayShow } from '../files/avatars.ts'
import { type Applying, isApplication } from '../groups/applying.ts'
import { type Answer, failed, failedWithData } from '../wire/answers.ts'
import type { Routes } from '../wire/endpoint.ts'
import {
  atMost,
  codePoints,
  eitherBody,
  required,
  requiredId,
  text,
  UNDOCUMENTED,
} from '../wire/fields.ts'
import { isBirthday, zodiacSign } from './birthdays.ts'
import {
  accountDocument,
  friendState,
  personDocument,
  profileDocument,
  sexFromWord,
} from './documents.ts'
import { isOutdated, LONGEST_PASSWORD } from './passwords.ts'
import {
  findUser,
  findUserByPhone,
  friendshipState,
  insertUser,
  replaceHash,
  searchGroups,
  searchUsers,
  updateUser,
} from './queries.ts'

/** Longer than any nick or group name, and than any number that is searched for. */
const LONGEST_KEYWORD = 64
const DEFAULT_SIGN = '这个人很高冷, 暂时没有留下什么'

const ALREADY_REGISTERED: Answer = { status: 400, msg: '该用户已注册' }
const NO_SUCH_USER: Answer = { status: 400, msg: '该用户不存在' }
const WRONG_PASSWORD: Answer = { status: 401, msg: '密码错误' }
const EMPTY_KEYWORD: Answer = {
  status: 400,
  msg: '关键字为空, 暂无数据',
  data: [],
  result: false,
}
const NOTHING_FOUND: Answer = { status: 400, msg: '暂无数据', result: false }

const nick = atMost(15, '昵称最大不能超过15个字').min(1, '昵称不能为空').prefault('')

const loginBody = z.object({ phone: required(), password: required(undefined, LONGEST_PASSWORD) })

/** Endpoints 1, 2, 3, 4, 6 and 7 of the interface document. */
export function accountRoutes(
  { db, passwords, attempts, tokens, times }: Context,
  applying: Applying,
): Routes {
  return async (app) => {
    app.post(
      '/register',
      {
        config: { access: 'public', failure: failed('注册失败'), lists405: true },
        schema: {
          body: z.object({
            phone: text('手机号不合法')
              .regex(/^1[3-9]\d{9}$/, '手机号不合法')
              .min(1, '手机号不能为空')
              .prefault(''),
            password: required('密码不能为空', LONGEST_PASSWORD),
            nick,
          }),
        },
      },
      async ({ body: { phone, password, nick }, ip }) => {
        if ((await findUserByPhone(db, phone)) !== undefined) return ALREADY_REGISTERED
        const passwordHash = await passwords.hash(password, ip)
        try {
          const user = await insertUser(db, { phone, passwordHash, nick })
          return {
            status: 200,
            msg: '注册成功',
            data: accountDocument(user, tokens.sign(user.id)),
          }
        } catch (error) {
          if (isUniqueViolation(error)) return ALREADY_REGISTERED
          throw error
        }
      },
    )

    const loginFailed = failed('登录失败')
    app.post(
      '/login',
      {
        config: {
          access: 'public',
          failure: loginFailed,
          // The document prints this url for applications to groups, too (behaviour.md 5).
          second: { ...applying.endpoint, meant: isApplication },
        },
        schema: { body: eitherBody(loginBody, applying.body, isApplication) },
      },
      async ({ body, ip }) => {
        if ('groupId' in body) return applying.apply(body)
        const { phone, password } = body
        const user = await findUserByPhone(db, phone)
        if (user === undefined) return attempts.attemptUnknown(ip) ? NO_SUCH_USER : loginFailed
        const right = await attempts.attempt(user.id, ip, () =>
          passwords.verify(user.passwordHash, password, ip),
        )
        if (right === 'refused') return loginFailed
        if (!right) return WRONG_PASSWORD
        if (isOutdated(user.passwordHash)) {
          const passwordHash = await passwords.hash(password, ip)
          await replaceHash(db, user.id, user.passwordHash, passwordHash)
        }
        return { status: 200, msg: '登录成功', data: accountDocument(user, tokens.sign(user.id)) }
      },
    )

    app.get(
      '/home/user',
      {
        config: { access: { as: '_id' }, failure: failed('加载失败') },
        schema: { querystring: z.object({ _id: requiredId(), urlId: requiredId() }) },
      },
      async ({ query: { _id, urlId } }) => {
        const [self, user, state] = await Promise.all([
          findUser(db, _id),
          findUser(db, urlId),
          friendshipState(db, _id, urlId),
        ])
        if (self === undefined || user === undefined) return failed('加载失败')
        return {
          status: 200,
          data: { user: profileDocument(user, times), friendState: friendState(_id, urlId, state) },
        }
      },
    )

    app.get(
      '/tabbar/message/userinfo',
      {
        config: { access: { as: '_id' }, failure: failedWithData('服务器错误') },
        schema: { querystring: z.object({ _id: requiredId() }) },
      },
      async ({ query: { _id } }) => {
        const user = await findUser(db, _id)
        if (user === undefined) return failedWithData('服务器错误')
        return { status: 200, data: personDocument(user.id, user.nick, user.avatarUrl) }
      },
    )

    app.post(
      '/update/user',
      {
        config: { access: { as: '_id' }, failure: failed('保存失败'), lists405: true },
        schema: {
          body: z.object({
            _id: requiredId('_id参数不能为空'),
            nick,
            sex: text('性别必须为未知/男/女')
              .min(1, '性别不能为空')
              .refine((word) => sexFromWord(word) !== undefined, '性别必须为未知/男/女')
              .prefault(''),
            birthday: text('请填写正确日期')
              .refine((value) => value === '' || isBirthday(value), '请填写正确日期')
              .optional(),
            sign: atMost(50, '个性签名最大不能超过50个字').optional(),
            imgUrl: text().max(1024, UNDOCUMENTED).optional(),
          }),
        },
      },
      async ({ body: { _id, nick, sex, birthday, sign, imgUrl } }) => {
        if (imgUrl && !mayShow(imgUrl) && !mayShow(imgUrl, (await findUser(db, _id))?.avatarUrl)) {
          return failed('保存失败')
        }
        const user = await updateUser(db, _id, {
          nick,
          sex: sexFromWord(sex) ?? 'unknown',
          ...(birthday === undefined ? {} : { birthday: birthday === '' ? null : birthday }),
          ...(sign === undefined ? {} : { sign: sign === '' ? DEFAULT_SIGN : sign }),
          ...(imgUrl === undefined || imgUrl === '' ? {} : { avatarUrl: imgUrl }),
        })
        if (user === undefined) return failed('保存失败')
        return { status: 200, msg: '保存成功', start: zodiacSign(user.birthday) }
      },
    )

    app.get(
      '/search',
      {
        config: {
          access: 'user',
          failure: { status: 404, msg: '服务器错误', result: false },
        },
        schema: { querystring: z.object({ keyword: text().prefault('') }) },
      },
      async ({ query: { keyword } }) => {
        if (keyword === '') return EMPTY_KEYWORD
        if (codePoints(keyword) > LONGEST_KEYWORD) return NOTHING_FOUND
        const [people, groups] = await Promise.all([
          searchUsers(db, keyword),
          searchGroups(db, keyword),
        ])
        if (people.length === 0 && groups.length === 0) return NOTHING_FOUND
        return {
          status: 200,
          data: {
            friendList: people.map(([_id, nick, imgUrl, sign]) => ({ _id, nick, imgUrl, sign })),
            groupList: groups.map(([_id, groupName, imgUrl]) => ({ _id, groupName, imgUrl })),
          },
        }
      },
    )
  }
}
