import t, { type Test } from 'tap'
import type { Answer } from './client.ts'
import { fieldErrors, type Expectation, type FieldError } from './contract.ts'
import { expectAnswer } from './coverage.ts'
import { at, stringAt } from './json.ts'
import { STRANGE_PICTURES } from './inputs.ts'
import { befriend, freePhone, register } from './people.ts'
import { serve } from './server.ts'
import { execute } from '../helpers/databases.ts'

const DEFAULT_SIGN = '这个人很高冷, 暂时没有留下什么'
const NOBODY = '0123456789abcdef01234567'
const badIds = ['x', NOBODY.toUpperCase(), `${NOBODY}0`, `${NOBODY}\n`, `${NOBODY.slice(1)}\0`]

const phoneForm = (value?: string): FieldError => ({
  path: 'phone',
  msg: '手机号不合法',
  ...(value === undefined ? {} : { value }),
})
const nickLong = (value: string): FieldError => ({
  path: 'nick',
  msg: '昵称最大不能超过15个字',
  value,
})

const server = await serve(t)
const client = server.client()

await t.test('1 registers: an account with everything at its default', async (t) => {
  const phone = freePhone()
  const answer = await client.post('/register', { phone, password: 'secret', nick: '小明' })
  const body = expectAnswer(t, answer, 1, '注册成功返回', {
    data: {
      phone,
      nick: '小明',
      imgUrl: '/user_pic1.jpeg',
      sex: '未知',
      birthday: '',
      start: '',
      sign: DEFAULT_SIGN,
    },
  })
  const again = await client.post('/register', { phone, password: 'other', nick: '别人' })
  expectAnswer(t, again, 1, '该用户已注册')
  const login = await client.post('/login', { phone, password: 'secret' })
  const data = at(body, 'data') as Record<string, Expectation>
  expectAnswer(t, login, 2, '登陆成功', { data: { ...data, token: /./ } })

  const json = await client.postJson('/register', { phone: freePhone(), password: ' ', nick: '😀' })
  expectAnswer(t, json, 1, '注册成功返回', { data: { nick: '😀' } })
})

await t.test('1 lists every failed rule', async (t) => {
  const phone = freePhone()
  const good = { phone, password: 'secret', nick: 'n' }
  const refused = async (form: Record<string, string | undefined>, ...rules: FieldError[]) => {
    const answer = await client.post('/register', { ...good, ...form })
    expectAnswer(t, answer, 1, '参数缺省', fieldErrors(...rules))
  }
  expectAnswer(t, await client.post('/register'), 1, '参数缺省')
  expectAnswer(t, await client.request('/register', { method: 'POST' }), 1, '参数缺省')

  await refused({ phone: '' }, phoneForm(''), { path: 'phone', msg: '手机号不能为空', value: '' })
  const others = ['12345678901', '1380013800', '138001380000', 'a', '１３８００１３８０００']
  for (const value of [...others, `${phone} `, `${phone}\n`, `+86${phone}`, '1380013800\0'])
    await refused({ phone: value }, phoneForm(value))
  await refused({ password: undefined }, { path: 'password', msg: '密码不能为空' })
  await refused({ password: '' }, { path: 'password', msg: '密码不能为空' })
  await refused({ nick: '' }, { path: 'nick', msg: '昵称不能为空', value: '' })
  for (const nick of ['一'.repeat(16), '😀'.repeat(16), 'a\0b', `${'一'.repeat(20)}\0`])
    await refused({ nick }, nickLong(nick))
  await refused(
    { phone: '1', password: '', nick: '一'.repeat(16) },
    phoneForm('1'),
    { path: 'password', msg: '密码不能为空' },
    nickLong('一'.repeat(16)),
  )

  const odd = await client.postJson('/register', { phone: 13800138000, password: 1, nick: ['n'] })
  expectAnswer(t, odd, 1, '参数缺省', {
    data: [
      { type: 'field', value: 13800138000, msg: '手机号不合法', path: 'phone', location: 'body' },
      { type: 'field', value: ['n'], msg: nickLong('').msg, path: 'nick', location: 'body' },
    ],
  })
  for (const password of ['x'.repeat(129), 'a\0b'])
    expectAnswer(t, await client.post('/register', { ...good, password }), 1, '服务器错误')
  const longest = { phone, password: 'x'.repeat(128), nick: '😀'.repeat(15) }
  const answer = await client.post('/register', longest)
  expectAnswer(t, answer, 1, '注册成功返回', { data: { nick: longest.nick } })
})

await t.test('1 of 64 registrations of one phone at once, one succeeds', async (t) => {
  const phone = freePhone()
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, i) =>
      client.post('/register', { phone, password: `secret ${i}`, nick: `n${i}` }),
    ),
  )
  const [winner, ...more] = answers.filter(({ body }) => at(body, 'status') === 200)
  t.equal(more.length, 0)
  const index = answers.indexOf(winner as Answer)
  expectAnswer(t, winner as Answer, 1, '注册成功返回', { data: { phone, nick: `n${index}` } })
  for (const answer of answers.filter((one) => one !== winner))
    expectAnswer(t, answer, 1, '该用户已注册')
  const login = await client.post('/login', { phone, password: `secret ${index}` })
  expectAnswer(t, login, 2, '登陆成功', { data: { _id: stringAt(winner?.body, 'data', '_id') } })
})

await t.test('2 logs in', async (t) => {
  const { phone } = await register(client, '登录')
  const login = (form: Record<string, string>) => client.post('/login', form)
  expectAnswer(t, await login({ phone, password: 'secret' }), 2, '登陆成功', { data: { phone } })
  for (const password of ['Secret', 'secret ', ' '])
    expectAnswer(t, await login({ phone, password }), 2, '密码错误')
  for (const nobody of [freePhone(), 'x', `${phone} `])
    expectAnswer(t, await login({ phone: nobody, password: 'secret' }), 2, '该用户不存在')
  for (const form of [
    {},
    { phone },
    { password: 'secret' },
    { phone, password: '' },
    { phone: '', password: 'secret' },
    { phone, password: 'secret\0' },
    { phone, password: 'x'.repeat(129) },
  ])
    expectAnswer(t, await login(form), 2, '服务器错误')
})

await t.test('2 under a flood of logins, those beyond the queue fail as documented', async (t) => {
  const { phone } = await register(client, '洪水')
  const login = () => client.post('/login', { phone, password: 'secret' })
  const answers = await Promise.all(Array.from({ length: 140 }, login))
  const passed = answers.filter(({ body }) => at(body, 'status') === 200)
  t.ok(passed.length >= 66, `${passed.length} let in: two at work and 64 in line at least`)
  for (const answer of answers)
    expectAnswer(t, answer, 2, passed.includes(answer) ? '登陆成功' : '服务器错误')
  expectAnswer(t, await login(), 2, '登陆成功')
})

await t.test('3 shows a profile, and how one stands to its owner', async (t) => {
  const [me, other] = [await register(client, '我'), await register(client, '他')]
  const seen = async (viewer: typeof me, owner: typeof me, friendState: number) => {
    const answer = await client.get('/home/user', { _id: viewer.id, urlId: owner.id })
    expectAnswer(t, answer, 3, 'success', {
      data: {
        user: {
          _id: owner.id,
          phone: owner.phone,
          WaiFCode: `WaiFCode_${owner.phone}`,
          nick: owner.nick,
          imgUrl: '/user_pic1.jpeg',
          sex: '未知',
          age: '',
          birthday: '',
          start: '',
          sign: DEFAULT_SIGN,
        },
        friendState,
      },
    })
  }
  await seen(me, me, 3)
  await seen(me, other, 2)
  await client.post('/friend/add', { userId: me.id, friendId: other.id })
  await seen(me, other, 0)
  await seen(other, me, 4)
  await client.post('/friend/agree', { userId: other.id, friendId: me.id })
  await seen(me, other, 1)
  await seen(other, me, 1)

  for (const id of [...badIds, NOBODY, undefined]) {
    for (const query of [
      { _id: id, urlId: me.id },
      { _id: me.id, urlId: id },
    ])
      expectAnswer(t, await client.get('/home/user', query), 3, '服务器错误 加载失败')
  }
})

await t.test('4 shows nick and picture', async (t) => {
  const { id } = await register(client, '顶部')
  const answer = await client.get('/tabbar/message/userinfo', { _id: id })
  expectAnswer(t, answer, 4, 'success', {
    data: { _id: id, nick: '顶部', imgUrl: '/user_pic1.jpeg' },
  })
  for (const _id of [...badIds, NOBODY, undefined])
    expectAnswer(t, await client.get('/tabbar/message/userinfo', { _id }), 4, 'error')
})

await t.test('6 changes what is given, and keeps what is not', async (t) => {
  const me = await register(client, '旧名')
  const save = (form: Record<string, string>) =>
    client.post('/update/user', { _id: me.id, nick: '新名', sex: '女', ...form })
  const shows = async (expected: Record<string, Expectation>) => {
    const answer = await client.get('/home/user', { _id: me.id, urlId: me.id })
    expectAnswer(t, answer, 3, 'success', { data: { user: { ...expected, phone: me.phone } } })
  }
  const all = { birthday: '2003-06-26', sign: '你好', imgUrl: '/1-新.jpg' }
  const saved = await save({ ...all, phone: '13800138000', password: 'x', WaiFCode: 'x', age: '1' })
  expectAnswer(t, saved, 6, 'success', { start: '巨蟹座' })
  const age = (value: unknown) => Number(value) >= 20
  await shows({ nick: '新名', sex: '女', start: '巨蟹座', age, ...all })
  expectAnswer(t, await save({}), 6, 'success', { start: '巨蟹座' })
  await shows(all)
  const emptied = await save({ birthday: '', sign: '', imgUrl: '', sex: '男' })
  expectAnswer(t, emptied, 6, 'success', { start: '' })
  await shows({ birthday: '', start: '', age: '', sign: DEFAULT_SIGN, imgUrl: '/1-新.jpg' })
  await shows({ sex: '男' })
  const longest = { nick: '😀'.repeat(15), sign: '😀'.repeat(50), sex: '未知' }
  expectAnswer(t, await save(longest), 6, 'success')
  await shows(longest)
  expectAnswer(
    t,
    await client.post('/login', { phone: me.phone, password: 'secret' }),
    2,
    '登陆成功',
  )
  for (const _id of [...badIds, NOBODY]) expectAnswer(t, await save({ _id }), 6, 'error')
  for (const imgUrl of ['x'.repeat(1025), '/a\0b', ...STRANGE_PICTURES])
    expectAnswer(t, await save({ imgUrl }), 6, 'error')
  const elsewhere = 'http://old.example/a.png'
  const change = `update users set avatar_url = '${elsewhere}' where id = '${me.id}'`
  await execute(String(server.databaseUrl), change)
  expectAnswer(t, await save({ imgUrl: elsewhere }), 6, 'success')
})

await t.test('6 lists every failed rule', async (t) => {
  const { id: _id } = await register(client, '规则')
  const refused = async (form: Record<string, string>, ...rules: FieldError[]) => {
    const answer = await client.post('/update/user', { _id, nick: 'n', sex: '男', ...form })
    expectAnswer(t, answer, 6, '参数缺省', fieldErrors(...rules))
  }
  expectAnswer(t, await client.post('/update/user'), 6, '参数缺省')
  await refused({ _id: '' }, { path: '_id', msg: '_id参数不能为空', value: '' })
  await refused({ nick: '一'.repeat(16) }, nickLong('一'.repeat(16)))
  const sexWord = { path: 'sex', msg: '性别必须为未知/男/女' }
  await refused(
    { sex: '' },
    { path: 'sex', msg: '性别不能为空', value: '' },
    { ...sexWord, value: '' },
  )
  for (const sex of ['male', '男女', 'toString']) await refused({ sex }, { ...sexWord, value: sex })
  const days = [
    '2003-6-26',
    '2003-02-29',
    '2003-13-01',
    '1899-12-31',
    '26.06.2003',
    '2003-06-26T00',
  ]
  for (const value of [...days, '2003-06-26\n'])
    await refused({ birthday: value }, { path: 'birthday', msg: '请填写正确日期', value })
  for (const value of ['一'.repeat(51), 'a\0'])
    await refused({ sign: value }, { path: 'sign', msg: '个性签名最大不能超过50个字', value })
  await refused(
    { nick: '', sex: 'x', birthday: 'x', sign: '一'.repeat(51) },
    { path: 'nick', msg: '昵称不能为空', value: '' },
    { ...sexWord, value: 'x' },
    { path: 'birthday', msg: '请填写正确日期', value: 'x' },
    { path: 'sign', msg: '个性签名最大不能超过50个字', value: '一'.repeat(51) },
  )
})

await t.test('an unexpected error gets the documented body, and no detail', async (t) => {
  const [a, b] = [await register(client, '甲'), await register(client, '乙')]
  await befriend(client, a, b)
  const [userId, friendId] = [a.id, b.id]
  const pair = { userId, friendId }
  await breakDown(t)
  const post = async (number: number, name: string, path: string, form: Record<string, string>) =>
    expectAnswer(t, await client.post(path, form), number, name)
  const get = async (number: number, name: string, path: string, query: Record<string, string>) =>
    expectAnswer(t, await client.get(path, query), number, name)

  await post(1, '服务器错误', '/register', { phone: freePhone(), password: 'x', nick: 'n' })
  await post(2, '服务器错误', '/login', { phone: a.phone, password: 'secret' })
  await get(3, '服务器错误 加载失败', '/home/user', { _id: userId, urlId: friendId })
  await get(4, 'error', '/tabbar/message/userinfo', { _id: userId })
  await post(6, 'error', '/update/user', { _id: userId, nick: 'n', sex: '男' })
  await get(7, '服务器错误', '/search', { keyword: 'n' })
  await post(8, 'error', '/friend/add', pair)
  await get(9, 'error', '/contacts/friend', { userId })
  await get(10, 'error', '/del/friend', pair)
  await get(11, 'error', '/get/friend/noagree', { userId })
  await post(12, 'error', '/friend/agree', pair)
  await post(13, 'error', '/friend/refuse', pair)
  await get(36, 'error', '/message/friend', pair)
  await get(43, 'error', '/message/list', { userId })
  await get(44, 'error', '/message/read/friend', { userId, id: friendId })
})

/** Until the end of the test, no statement works. */
async function breakDown(t: Test): Promise<void> {
  const url = server.databaseUrl
  if (url === undefined) throw new Error('needs the database of the server')
  await execute(url, 'alter table users rename to nobody')
  t.teardown(() => execute(url, 'alter table nobody rename to users'))
}
