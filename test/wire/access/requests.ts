import { randomBytes } from 'node:crypto'
import type { Answer, Client, Fields, UploadFile } from '../../contract/client.ts'
import { endpoints } from '../../contract/contract.ts'
import { PNG, randomFile, sendChunk } from '../../contract/files-support.ts'
import { freePhone } from '../../contract/people.ts'
import { comment, like } from '../../contract/spaces.ts'
import type { People, Player, Things } from './world.ts'

/** A request that is right for those who may. */
interface Request {
  /** Instead of the document's url. */
  readonly path?: string
  readonly fields?: Fields
  readonly upload?: Record<string, string | UploadFile>
}

/** Makes the request of an endpoint, naming `me` as who acts. */
type MakeRequest = (
  me: Player,
  things: Things,
  people: People,
  client: Client,
) => Request | Promise<Request>

const picture = { name: 'a.png', data: PNG, type: 'image/png' }
const asMe: MakeRequest = ({ id }) => ({ fields: { userId: id } })
const anyPicture: MakeRequest = () => ({ upload: { file: picture } })
const application: MakeRequest = (_me, { group }, { applicant }) => ({
  fields: { groupId: group, userId: applicant.id },
})
const theSpace: MakeRequest = (_me, { space }) => ({ fields: { _id: space } })
/** Somebody, who is no friend of mine, applies to me first. */
const applied: MakeRequest = async (me, _things, { applicant }) => {
  const [userId, friendId] = [applicant.id, me.id]
  await applicant.client.get('/del/friend', { userId, friendId })
  await applicant.client.post('/friend/add', { userId, friendId })
  return { fields: { userId: me.id, friendId: applicant.id } }
}
const file = () => ({ fileHash: randomBytes(16).toString('hex'), fileName: 'a.bin' })

const requests: Record<number, MakeRequest> = {
  1: () => ({ fields: { phone: freePhone(), password: 'secret', nick: '新人' } }),
  2: ({ phone }) => ({ fields: { phone, password: 'secret' } }),
  3: ({ id }, { owner }) => ({ fields: { _id: id, urlId: owner } }),
  4: ({ id }) => ({ fields: { _id: id } }),
  5: ({ id }) => ({ upload: { _id: id, file: picture } }),
  6: ({ id, nick }) => ({ fields: { _id: id, nick, sex: '男' } }),
  7: (_me, _things, { newcomer }) => ({ fields: { keyword: newcomer.phone } }),
  8: ({ id }, _things, { newcomer }) => ({ fields: { userId: id, friendId: newcomer.id } }),
  9: asMe,
  10: ({ id }, _things, { newcomer }) => ({ fields: { userId: id, friendId: newcomer.id } }),
  11: asMe,
  12: applied,
  13: applied,
  14: ({ id }) => ({ fields: { userId: id, groupName: '新群', sign: '新群' } }),
  15: anyPicture,
  16: ({ id }, { group }) => ({ fields: { userId: id, groupId: group } }),
  17: (_me, { group }) => ({ fields: { groupId: group } }),
  18: ({ id }, _things, { newcomersGroup }) => ({
    fields: { userId: id, groupId: newcomersGroup },
  }),
  19: application,
  20: asMe,
  21: ({ id }, { group }) => ({ fields: { groupLeaderId: id, groupId: group } }),
  22: (_me, { group }) => ({ fields: { _id: group, groupName: '改名', sign: '改名' } }),
  23: (_me, { group }, { actors }) => ({ fields: { groupId: group, userId: actors.member.id } }),
  24: (_me, { group }) => ({ fields: { groupId: group } }),
  25: asMe,
  26: application,
  27: anyPicture,
  28: ({ id }) => ({ fields: { userId: id, textDesc: '我的' } }),
  29: asMe,
  30: theSpace,
  31: (_me, { owner }) => ({ fields: { userId: owner } }),
  32: (me, { space }) => ({ fields: like(space, me) }),
  33: (me, { space }) => ({ path: '/space/comment/add/0', fields: comment(space, me) }),
  34: (_me, { comment: _id }) => ({ path: '/space/comment/del/0', fields: { _id } }),
  35: theSpace,
  36: ({ id }, { owner }) => ({ fields: { userId: id, friendId: owner, pageNum: 1 } }),
  37: ({ id }, { group }) => ({ fields: { userId: id, groupId: group, pageNum: 1 } }),
  38: anyPicture,
  39: anyPicture,
  40: () => {
    const { fileHash } = file()
    const chunk = { name: 'blob', data: 'x' }
    const upload = { fileHash, chunkHash: `${fileHash}-0`, chunk }
    return { path: '/chat/file/private', upload }
  },
  41: async (_me, _things, { newcomer }) => {
    const { hash, bytes } = randomFile(100)
    await sendChunk(newcomer.client, hash, 0, bytes)
    return { path: '/merge/private', fields: { fileHash: hash, fileName: 'a.bin' } }
  },
  42: () => ({ path: '/verify/private', fields: file() }),
  43: asMe,
  44: ({ id }, { owner }) => ({ path: '/message/read/friend', fields: { userId: id, id: owner } }),
  45: ({ id }) => ({ fields: { userId: id, text: '我的' } }),
  46: () => ({ fields: { pageNum: 1 } }),
  47: (_me, { note }) => ({ fields: { _id: note } }),
}

/** Makes a request that is right for those who may; the returned function sends it. */
export async function prepare(
  number: number,
  me: Player,
  things: Things,
  people: People,
): Promise<(client: Client) => Promise<Answer>> {
  const endpoint = endpoints.find((one) => one.number === number)
  const make = requests[number]
  if (endpoint === undefined || make === undefined) throw new Error(`no request for ${number}`)
  const { path = endpoint.url, fields = {}, upload } = await make(me, things, people, me.client)
  return (client) => {
    if (upload !== undefined) return client.upload(path, upload)
    return endpoint.method === 'GET' ? client.get(path, fields) : client.post(path, fields)
  }
}
