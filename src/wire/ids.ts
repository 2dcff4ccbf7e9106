import { ObjectId } from 'bson'

/** A new id: 24 lower-case hex digits, time-ordered like the original's (behaviour.md 1). */
export function newId(): string {
  return new ObjectId().toHexString()
}

/** Whether a value is an id as the wire writes it. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{24}$/.test(value)
}
