import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { StartupError } from '../startup-error.ts'
import type { Document } from './extended-json.ts'

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

const mapping = z.strictObject({
  collections: z.partialRecord(z.enum(COLLECTIONS), z.string().min(1)).default({}),
  fields: z
    .partialRecord(z.enum(COLLECTIONS), z.record(z.string().min(1), z.string().min(1)))
    .default({}),
  ignore: z.array(z.string()).default([]),
})

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
export async function readMapping(path: string | undefined): Promise<Mapping> {
  if (path === undefined) return createMapping({})
  try {
    return createMapping(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new StartupError(
      `The mapping ${path} cannot be used: ${why.replaceAll(/\s*\n\s*/g, ' ')}.`,
    )
  }
}

/** @throws ZodError when it is no mapping */
export function createMapping(value: unknown): Mapping {
  const { collections, fields, ignore } = mapping.parse(value)
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
