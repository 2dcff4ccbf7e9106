import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { StartupError } from '../startup-error.ts'
import type { Document } from './extended-json.ts'
import { FIELDS } from './fields.ts'

/** The collections that are moved, in an order in which each refers to earlier ones only. */
export const COLLECTIONS = [
  'users',
  'groups',
  'dissolved_groups',
  'private_chats',
  'group_chats',
  'friends',
  'group_users',
  'spaces',
  'space_comments',
  'space_likes',
  'notes',
] as const
export type Collection = (typeof COLLECTIONS)[number]

/** What an export keeps of rows whose documents cannot say it; see `details.ts`. */
export const DETAILS = 'row_details'

/** What names a file in a dump. */
const collectionName = z.string().regex(/^[^/\\\0]+$/, 'a name without / and \\ is expected')
const fieldName = z.string().regex(/^[^$.\0][^.\0]*$/, 'a name without . is expected')

const mappingFile = z
  .strictObject({
    collections: z.record(z.string(), collectionName).default({}),
    fields: z.record(z.string(), z.record(z.string(), fieldName)).default({}),
    ignore: z.array(z.string()).default([]),
  })
  .superRefine(({ collections, fields }, context) => {
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', message })
    }
    const unknown = [collections, fields].flatMap(Object.keys).find((key) => !isCollection(key))
    if (unknown !== undefined) {
      refuse(`${unknown} is none of our collections`)
      return
    }
    const names = COLLECTIONS.map((collection) => collections[collection] ?? collection)
    const twice = repeated([...names, DETAILS])
    if (twice !== undefined) refuse(`two collections would be called ${twice}`)
    for (const collection of COLLECTIONS) {
      const renamed = fields[collection] ?? {}
      const known = FIELDS[collection]
      for (const key of Object.keys(renamed)) {
        if (!known.includes(key)) refuse(`${collection} have no field ${key} that the server knows`)
      }
      const field = repeated(['_id', '__v', ...known.map((key) => renamed[key] ?? key)])
      if (field !== undefined) refuse(`two fields of ${collection} would be called ${field}`)
    }
  })

/** Whether a name is our name of a collection. */
export function isCollection(name: string): name is Collection {
  return COLLECTIONS.some((collection) => collection === name)
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) < index)
}

/** How a dump calls collections and fields, where it does not call them as we do. */
export interface Mapping {
  /** The dump's name of one of our collections. */
  nameOf(collection: Collection): string
  /** Our name of one of the dump's collections; undefined for others. */
  collectionOf(name: string): Collection | undefined
  /** What the dump calls the password of a user. */
  readonly passwordKey: string
  /** Whether a collection of the dump is to be left out. */
  isIgnored(name: string): boolean
  /** A document with our names; undefined when two fields would get one name. */
  ours(collection: Collection, document: Document): Document | undefined
  /** A document with the dump's names. */
  theirs(collection: Collection, document: Document): Document
}

/**
 * Reads a mapping file such as `{"fields": {"users": {"nick": "nickname"}}}`: our name first.
 *
 * @throws StartupError when it cannot be read or says something else
 */
export function readMapping(path: string | undefined): Mapping {
  if (path === undefined) return createMapping({})
  try {
    return createMapping(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    const why = error instanceof z.ZodError ? whyNot(error) : (error as Error).message
    throw new StartupError(
      `The mapping ${path} cannot be used: ${why.replaceAll(/\s*\n\s*/g, ' ')}.`,
    )
  }
}

/** The first thing that is wrong, and where. */
function whyNot({ issues: [issue] }: z.ZodError): string {
  const { path = [], message = '' } = issue ?? {}
  return path.length === 0 ? message : `${path.join('.')}: ${message}`
}

/** @throws ZodError when it is no mapping */
export function createMapping(value: unknown): Mapping {
  const { collections, fields, ignore } = mappingFile.parse(value)
  const nameOf = (collection: Collection) => collections[collection] ?? collection
  const byName = new Map(COLLECTIONS.map((collection) => [nameOf(collection), collection]))
  const toTheirs = new Map(
    COLLECTIONS.map((collection) => [
      collection,
      new Map(Object.entries(fields[collection] ?? {})),
    ]),
  )
  const toOurs = new Map(
    COLLECTIONS.map((collection) => [
      collection,
      new Map([...(toTheirs.get(collection) ?? [])].map(([our, their]) => [their, our])),
    ]),
  )
  return {
    nameOf,
    collectionOf: (name) => byName.get(name),
    passwordKey: fields.users?.['password'] ?? 'password',
    isIgnored: (name) => ignore.includes(name) || name.startsWith('system.'),
    ours(collection, document) {
      const renamed = rename(document, toOurs.get(collection))
      return Object.keys(renamed).length < Object.keys(document).length ? undefined : renamed
    },
    theirs: (collection, document) => rename(document, toTheirs.get(collection)),
  }
}

function rename(document: Document, names: ReadonlyMap<string, string> | undefined): Document {
  if (names === undefined || names.size === 0) return document
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [names.get(key) ?? key, value]),
  )
}
