import pg from 'pg'
import type { History, Incident, Sent, Shown } from './history.ts'

/** What the auditor may find. */
export type Finding =
  | 'acknowledged, but not stored'
  | 'sent, but not stored'
  | 'stored twice'
  | 'refused, but stored'
  | 'shown, but not stored'
  | 'shown twice'
  | 'shown in another order'
  | 'shown without a right'
  | 'missing'
  | 'unread news wrong'
  | 'stored in another order than sent'
  | 'unanswered'
  | 'numbers wrong'
  | Incident

/** How often each, with the first few in words. */
export class Findings {
  readonly counts = new Map<Finding, number>()
  readonly examples: string[] = []

  add(finding: Finding, what: string): void {
    this.counts.set(finding, (this.counts.get(finding) ?? 0) + 1)
    if (this.examples.length < 10) this.examples.push(`${finding}: ${what}`)
  }

  count(finding: Finding): number {
    return this.counts.get(finding) ?? 0
  }

  /** How often each, then the examples; empty without findings. */
  summary(): string[] {
    return [...[...this.counts].map(([finding, count]) => `${finding}: ${count}`), ...this.examples]
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }
}

interface Stored {
  readonly id: string
  readonly text: string
  readonly position: number
  readonly from: string
  readonly conversation: 'private' | 'group'
  readonly to: string
}

export interface Expectations {
  /** Devices that must have been shown everything that was said to them, once they were caught up. */
  readonly complete?: readonly Shown[]
  /** Of which messages that is expected; of all of them unless this says no. */
  readonly due?: (text: string) => boolean
  /** Texts that a device must not be shown, however its owner stood to them at other times. */
  readonly forbidden?: (shown: Shown) => ReadonlySet<string>
  /** Sent without asking for an answer, and stored all the same. */
  readonly kept?: readonly Sent[]
  /** Longest time to any answer in milliseconds. */
  readonly answeredWithin?: number
}

/**
 * Compares what clients saw with what is stored. It knows the tables, but nothing of the server's
 * code: what may be shown to whom is worked out here again.
 */
export async function audit(
  databaseUrl: string,
  history: History,
  {
    complete = [],
    due = () => true,
    forbidden,
    kept = [],
    answeredWithin = Infinity,
  }: Expectations = {},
): Promise<Findings> {
  const findings = new Findings()
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<Stored & { position: string }>(
      `select m.id, m.body as text, m.position, m.sender_id as from, c.kind as conversation,
        coalesce(c.group_id, case m.sender_id when c.low_user_id then c.high_user_id
          else c.low_user_id end) as to
      from messages m join conversations c on c.id = m.conversation_id order by m.position`,
    )
    const stored = rows.map((row) => ({ ...row, position: Number(row.position) }))
    const byText = new Map(stored.map((message) => [message.text, message]))
    await auditNumbers(client, findings)
    auditSends(stored, byText, history, answeredWithin, findings)
    for (const { text } of kept) if (!byText.has(text)) findings.add('sent, but not stored', text)
    const members = await membersOfGroups(client)
    for (const shown of history.shown) {
      auditOrder(shown, byText, findings)
      auditRights(shown, byText, members, forbidden?.(shown), findings)
    }
    for (const shown of complete) {
      const seen = new Set(shown.texts)
      for (const message of stored) {
        const missing = due(message.text) && !seen.has(message.text)
        if (missing && isFor(message, shown.owner, members)) {
          findings.add('missing', `${shown.device} lacks ${message.text}`)
        }
      }
    }
    for (const { incident, what } of history.incidents) findings.add(incident, what)
    return findings
  } finally {
    await client.end()
  }
}

function auditSends(
  stored: readonly Stored[],
  byText: ReadonlyMap<string, Stored>,
  history: History,
  answeredWithin: number,
  findings: Findings,
): void {
  for (const message of stored) {
    const { id } = byText.get(message.text) as Stored
    if (id !== message.id) findings.add('stored twice', message.text)
  }
  const newest = new Map<string, number>()
  for (const { text, status, id, sentAt, answeredAt } of history.sent.values()) {
    const message = byText.get(text)
    if (status === 200 && message?.id !== id) findings.add('acknowledged, but not stored', text)
    const refused = status !== undefined && status !== 200 && status !== 500
    if (refused && message !== undefined) findings.add('refused, but stored', text)
    if (answeredAt !== undefined && answeredAt - sentAt > answeredWithin) {
      findings.add('unanswered', `${text} for ${Math.round(answeredAt - sentAt)} ms`)
    }
    if (message === undefined) continue
    // The texts of one device end with a number that grows.
    const device = text.slice(0, text.lastIndexOf(' '))
    if (message.position <= (newest.get(device) ?? 0)) {
      findings.add('stored in another order than sent', text)
    }
    newest.set(device, message.position)
  }
}

function auditOrder(
  { device, texts, news, strayNews }: Shown,
  byText: ReadonlyMap<string, Stored>,
  findings: Findings,
): void {
  const seen = new Set<string>()
  let last = 0
  texts.forEach((text, index) => {
    const message = byText.get(text)
    if (message === undefined) findings.add('shown, but not stored', `${device}: ${text}`)
    else if (seen.has(text)) findings.add('shown twice', `${device}: ${text}`)
    else if (message.position < last) findings.add('shown in another order', `${device}: ${text}`)
    else last = message.position
    seen.add(text)
    if (news[index] !== 1) {
      findings.add('unread news wrong', `${device}: ${news[index] ?? 0} for ${text}`)
    }
  })
  if (strayNews > 0) findings.add('unread news wrong', `${device}: ${strayNews} for nothing`)
}

function auditRights(
  { device, owner, texts }: Shown,
  byText: ReadonlyMap<string, Stored>,
  members: Members,
  forbidden: ReadonlySet<string> | undefined,
  findings: Findings,
): void {
  for (const text of texts) {
    const message = byText.get(text)
    const allowed =
      forbidden === undefined
        ? message === undefined || isFor(message, owner, members)
        : !forbidden.has(text)
    if (!allowed) findings.add('shown without a right', `${device}: ${text}`)
  }
}

/** Members of each group. */
type Members = ReadonlyMap<string, ReadonlySet<string>>

async function membersOfGroups(client: pg.Client): Promise<Members> {
  const { rows } = await client.query<{ group_id: string; members: string[] }>(
    `select group_id, array_agg(user_id::text) as members
    from group_members where state = 'member' group by group_id`,
  )
  return new Map(rows.map(({ group_id, members }) => [group_id, new Set(members)]))
}

function isFor({ conversation, from, to }: Stored, owner: string, members: Members): boolean {
  if (from === owner) return false
  return conversation === 'private' ? to === owner : members.get(to)?.has(owner) === true
}

/** What is counted and what is there agree: nothing was done by halves. */
async function auditNumbers(client: pg.Client, findings: Findings): Promise<void> {
  const { rows } = await client.query<{ what: string }>(
    `select 'conversation ' || c.id as what
    from conversations c left join messages m on m.conversation_id = c.id
    group by c.id
    having c.last_seq <> count(m.id) or c.last_seq <> coalesce(max(m.seq), 0)
      or c.last_position <> coalesce(max(m.position), 0)
    union all
    select 'friendship ' || f.id from friendships f
    where f.state = 'accepted' and f.sent_total <> (
      select count(*) from messages m where m.conversation_id = f.conversation_id
        and m.sender_id = f.user_id and m.seq > f.start_seq)
    union all
    select 'member ' || gm.id from group_members gm
    join conversations c on c.group_id = gm.group_id
    where gm.state = 'member' and gm.sent_total <> (
      select count(*) from messages m where m.conversation_id = c.id
        and m.sender_id = gm.user_id and m.seq > gm.start_seq)
    union all
    select 'group ' || g.id from groups g
    where g.dissolved_at is null and (
      not exists (select from conversations c where c.group_id = g.id)
      or not exists (select from group_members gm
        where gm.group_id = g.id and gm.user_id = g.owner_id and gm.state = 'member'))
    union all
    select 'dissolved group ' || g.id from groups g
    where g.dissolved_at is not null and exists (
      select from group_members gm where gm.group_id = g.id)
    union all
    select 'unread of ' || user_id from unread_proof where unread <> recounted`,
  )
  for (const { what } of rows) findings.add('numbers wrong', what)
}
