/** The types that columns of several tables have. */
import { bigint, customType, timestamp } from 'drizzle-orm/pg-core'

/** 24 lower-case hex digits, time-ordered: the `_id` of the wire, a domain over text. */
export const objectId = customType<{ data: string }>({ dataType: () => 'object_id' })
/** Compared byte by byte, so that a prefix is a range of the index, which then is all it takes. */
export const byteText = customType<{ data: string }>({ dataType: () => 'text collate "C"' })
/** Bytes. */
export const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
/** A moment, to the millisecond. */
export const instant = () => timestamp({ precision: 3, withTimezone: true })
/** A number of things, or a position among them; 0 until there is one. */
export const count = () => bigint({ mode: 'number' }).notNull().default(0)
