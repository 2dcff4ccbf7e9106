import { eq } from 'drizzle-orm'
import { type Queryable, statement } from '../database/connection.ts'
import { type Note, notes } from '../database/schema.ts'
import { newId } from '../wire/ids.ts'

/** Notes a page (endpoint 46). */
const PAGE = 12

const inserted = statement<[id: string]>(
  'notes_insert',
  `insert into notes (id, author_id, body, color, written_at)
  select $1, id, $3, $4, $5 from users where id = $2
  returning id`,
)

/** Puts a note on the wall and gives its id; undefined when there is no such user. */
export async function insertNote(
  db: Queryable,
  { authorId, body, color, writtenAt }: Pick<Note, 'authorId' | 'body' | 'color' | 'writtenAt'>,
): Promise<string | undefined> {
  const [row] = await db.run(inserted, [newId(), authorId, body, color, writtenAt])
  return row?.[0]
}

/** A note with its author. */
export type NoteRow = [
  id: string,
  authorId: string,
  nick: string,
  avatarUrl: string,
  body: string,
  color: string,
  writtenAt: Date,
]

// Only the index is walked to reach a page; notes and people are read for that page alone.
const notePage = statement<NoteRow>(
  'notes_page',
  `select n.id, u.id, u.nick, u.avatar_url, n.body, n.color, n.written_at
  from (
    select created_at, id from notes order by created_at desc, id desc
    limit ${PAGE} offset ($1::bigint - 1) * ${PAGE}
  ) page
  join notes n on n.id = page.id
  join users u on u.id = n.author_id
  order by page.created_at desc, page.id desc`,
)

/** A page of everybody's notes, newest first. */
export function listNotes(db: Queryable, page: number): Promise<NoteRow[]> {
  return db.run(notePage, [page])
}

/** Whose note it is; undefined when there is no such note. */
export async function findNoteAuthor(db: Queryable, id: string): Promise<string | undefined> {
  const [note] = await db.orm
    .select({ authorId: notes.authorId })
    .from(notes)
    .where(eq(notes.id, id))
  return note?.authorId
}

/** Takes a note off the wall. */
export async function deleteNote(db: Queryable, id: string): Promise<void> {
  await db.orm.delete(notes).where(eq(notes.id, id))
}
