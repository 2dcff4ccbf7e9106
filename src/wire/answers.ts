/** A body as the document has it: the outcome is in `status`, or in `res_code` for uploads. */
export type Answer =
  | ({ readonly status: number } & Readonly<Record<string, unknown>>)
  | ({ readonly res_code: number } & Readonly<Record<string, unknown>>)

/** The documented failure of most endpoints. */
export function failed(msg: string): Answer {
  return { status: 404, msg }
}

/** Of endpoints 4, 16, 25 and 46, whose document says `data` where others say `msg`. */
export function failedWithData(data: string): Answer {
  return { status: 404, data }
}

/** No token, or one that is not valid (behaviour.md 9). */
export const UNAUTHORIZED: Answer = { status: 401, msg: '登录已失效, 请重新登录' }
/** Somebody else's (behaviour.md 9). */
export const FORBIDDEN: Answer = { status: 403, msg: '无权操作' }

/** Over a limit (behaviour.md 1). */
export const TOO_MANY: Answer = { status: 429, msg: '操作过于频繁, 请稍后再试' }

/** One failed rule in a 405 body; the order of the keys is the wire's. */
export interface FieldError {
  readonly type: 'field'
  /** What the client sent, if it sent something. */
  readonly value?: unknown
  readonly msg: string
  readonly path: string
  readonly location: 'body'
}

/** The 405 body: every failed rule in the document's order (behaviour.md 1). */
export function invalid(data: readonly FieldError[]): Answer {
  return { status: 405, msg: '参数错误', data }
}
