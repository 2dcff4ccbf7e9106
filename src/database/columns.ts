import { customType, timestamp } from 'drizzle-orm/pg-core'

/** 24 lower-case hex digits, time-ordered: the `_id` of the wire, a domain over text. */
export const objectId = customType<{ data: string }>({ dataType: () => 'object_id' })
/** Compared byte by byte, so that a prefix is a range of the index, which then is all it takes. */
export const byteText = customType<{ data: string }>({ dataType: () => 'text collate "C"' })
export const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
export const instant = () => timestamp({ precision: 3, withTimezone: true })
