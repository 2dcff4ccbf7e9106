import type { Json } from './json.ts'

/** Documented failures that contract.json lacks. */
export const addedCases = new Map<number, Record<string, Json>>([
  // behaviour.md 3: `/upload/group` fails like `/upload/user`.
  [15, { error: { res_code: 404, msg: '服务器错误' } }],
  // behaviour.md 3: `/chat/group/photo` fails like `/chat/private/photo`.
  [39, { error: { res_code: 500, msg: 'error' } }],
])

/** Refusals that every endpoint may answer (behaviour.md 1 and 9); no lines of the coverage. */
export const everywhere: Readonly<Record<string, Json>> = {
  '401': { status: 401, msg: '登录已失效, 请重新登录' },
  '403': { status: 403, msg: '无权操作' },
  '429': { status: 429, msg: '操作过于频繁, 请稍后再试' },
}

export interface Amendment {
  line: string
  at: readonly (string | number)[]
  values: readonly Json[]
}

const ids = ['64eec06fa61f50ab31295296', '64fb10adad117203367263fb', '65623ecbde6678fd1d5a009c']

/**
 * The one knowing difference of behaviour.md section 10 that changes a body. Numbers 2 and 3
 * change what is accepted and stored, and answer with documented bodies.
 */
export const knowingDifferences: readonly Amendment[] = [
  // No 1: friends, too, carry `unreadMsgCount`, as the last key.
  { line: '43 success', at: ['data', 0, 'unreadMsgCount'], values: [0] },
]

/** What behaviour.md says where an example is a placeholder, or shows one value of several. */
export const completions: readonly Amendment[] = [
  // 3: every public field of the user, in this order.
  {
    line: '3 success',
    at: ['data', 'user'],
    values: [
      {
        _id: '<_id>',
        phone: '<phone>',
        WaiFCode: '<WaiFCode>',
        nick: '<nick>',
        imgUrl: '<imgUrl>',
        sex: '<sex>',
        age: '<age>',
        birthday: '<birthday>',
        start: '<start>',
        sign: '<sign>',
      },
    ],
  },
  { line: '3 success', at: ['data', 'friendState'], values: [0, 1, 2, 3, 4] },
  // 4: an application that they sent to me has the state 4.
  { line: '11 success', at: ['data', 0, 'state'], values: [0, 4] },
  { line: '16 success', at: ['state'], values: [1, 0, 2] },
  // 5: the example shows an owner's rows only; all other member rows have `time`.
  {
    line: '20 success',
    at: ['data', 3],
    values: [
      {
        _id: ids[2] ?? '',
        groupId: { _id: ids[0] ?? '', groupName: 'wifi群', imgUrl: '/group_pic.png' },
        userId: ids[1] ?? '',
        time: '2023-11-25T18:36:59.533Z',
        state: 1,
        __v: 0,
      },
    ],
  },
  // 7: an array of urls, in upload order.
  { line: '27 success', at: ['url'], values: [['<文件url>']] },
  // 7: who likes a space.
  {
    line: '29 success',
    at: ['data', 0, 'likeList'],
    values: [[{ _id: ids[2] ?? '', userId: { _id: ids[0] ?? '', nick: 'wifi歪f' } }]],
  },
  // 7: the list of `chunkHash` stored completely.
  {
    line: '42 success: 文件需要重新上传',
    at: ['data', 'existChunks'],
    values: [['<chunkPath>']],
  },
]
