import { compare, documented, endpoints } from '../contract/contract.ts'
import { at, isObject, type Json } from '../contract/json.ts'

/** Lines of 405 lists that behaviour.md 3 adds to those of the document. */
const added: Record<string, readonly string[]> = {
  nick: ['昵称最大不能超过15个字'],
  sign: ['个性签名最大不能超过50个字', '群简介最大不能超过50个字'],
  birthday: ['请填写正确日期'],
  groupName: ['群名最大不能超过15个字'],
}
const everywhere = ['401', '403', '429']
const known = new Map<string, boolean>()

/** Whether a body is one that this endpoint may answer. */
export function isDocumented(number: number, text: string): boolean {
  const key = `${number} ${text}`
  const remembered = known.get(key)
  if (remembered !== undefined) return remembered
  const found =
    is405(number, text) ||
    casesLike(number, text).some((name) => compare(text, number, name).length === 0)
  if (text.length < 1_000 && known.size < 100_000) known.set(key, found)
  return found
}

/** The cases of an endpoint with the outcome of an answer: only they are worth a comparison. */
function casesLike(number: number, text: string): string[] {
  const outcome = outcomeOf(parsed(text))
  const endpoint = endpoints.find((one) => one.number === number)
  const cases = (endpoint?.responses ?? []).map((one) => one.case)
  return [...cases, ...everywhere].filter((name) => outcomeOf(documented(number, name)) === outcome)
}

function outcomeOf(body: Json): string {
  return JSON.stringify([at(body, 'status'), at(body, 'res_code')])
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}

function is405(number: number, text: string): boolean {
  if (!text.startsWith('{"status":405,"msg":"参数错误","data":[')) return false
  const lists = endpoints
    .filter((one) => one.number === number)
    .flatMap(({ responses }) => responses.map(({ body }) => body))
    .filter((body) => at(body, 'status') === 405)
    .flatMap((body) => at(body, 'data') as Json[])
  const body = JSON.parse(text) as Json
  const entries = at(body, 'data')
  if (lists.length === 0 || !Array.isArray(entries) || entries.length === 0) return false
  return entries.every((entry) => isObject(entry) && isFailedRule(entry, lists))
}

function isFailedRule(entry: Record<string, Json>, documented: readonly Json[]): boolean {
  const { path, msg } = entry
  const keys = Object.keys(entry).join()
  const shaped = keys === 'type,msg,path,location' || keys === 'type,value,msg,path,location'
  if (!shaped || entry.type !== 'field' || entry.location !== 'body') return false
  if (typeof path !== 'string' || typeof msg !== 'string') return false
  if (path === 'password' && Object.hasOwn(entry, 'value')) return false
  const listed = documented.some((one) => at(one, 'path') === path && at(one, 'msg') === msg)
  return listed || (added[path]?.includes(msg) ?? false)
}
