import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compare, isEverywhere, type Expectation } from './contract.ts'
import { covered, eventLine, subjects } from './coverage-table.ts'
import { compareAck, compareEvent, events, type ClientEvent, type SentEvent } from './events.ts'
import type { Json } from './json.ts'

/** The part of a tap test that the helpers use. */
export interface Asserts {
  same: (found: unknown, wanted: unknown, message: string, extra: object) => boolean
}

function hit(line: string): void {
  const dir = process.env['CONTRACT_COVERAGE_DIR']
  if (!dir) return
  mkdirSync(dir, { recursive: true })
  appendFileSync(join(dir, `${process.pid}.txt`), `${line}\n`)
}

/** Asserts HTTP 200 and a body as documented and expected; returns the parsed body. */
export function expectAnswer(
  t: Asserts,
  response: { httpStatus: number; text: string; body: Json | undefined },
  number: number,
  caseName: string,
  expectations?: Expectation,
): Json | undefined {
  const line = `${number} ${caseName}`
  const found = {
    httpStatus: response.httpStatus,
    differences: compare(response.text, number, caseName, expectations),
  }
  const equal = t.same(found, { httpStatus: 200, differences: [] }, `answers ${line}`, {
    body: response.text.slice(0, 4000),
    stack: callerOf(expectAnswer),
  })
  if (equal && !isEverywhere(caseName)) hit(line)
  return response.body
}

/** Asserts that an event carried the documented arguments, and the expected ones. */
export function expectEvent(
  t: Asserts,
  name: SentEvent,
  args: Json[],
  expectations?: Expectation,
): void {
  const differences = compareEvent(name, args, expectations)
  const line = eventLine(name)
  if (t.same(differences, [], line, { args, stack: callerOf(expectEvent) })) hit(line)
}

/** Asserts an acknowledgement; one with 200 is what covers join_group and logout. */
export function expectAck(
  t: Asserts,
  event: ClientEvent,
  ack: Json,
  status: number,
  expectations?: Expectation,
): void {
  const differences = compareAck(event, ack, status, expectations)
  const message = `${event} is acknowledged with ${status}`
  const equal = t.same(differences, [], message, { ack, stack: callerOf(expectAck) })
  const silent = events.find(({ name }) => name === event)?.sends.length === 0
  if (equal && silent && status === 200) hit(eventLine(event))
}

// tap would show the line of the helper; the line of the test is what the reader needs.
function callerOf(helper: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, helper)
  return (holder.stack ?? '').split('\n').slice(1).join('\n')
}

export interface CoverageResult {
  lost: string[]
  undeclared: string[]
}

/** Compares what the tests of a run hit with what the coverage table declares. */
export function checkCoverage(dir: string, declared: readonly string[] = covered): CoverageResult {
  const files = (existsSync(dir) ? readdirSync(dir) : []).filter((name) => name.endsWith('.txt'))
  const hits = new Set(
    files.flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').filter(Boolean)),
  )
  return {
    lost: declared.filter((line) => !hits.has(line)),
    undeclared: [...hits].filter((line) => !declared.includes(line)).sort(),
  }
}

/** The coverage table as text: endpoint or event, cases covered of all, title, what is open. */
export function formatCoverage(declared: readonly string[] = covered): string {
  const rows = subjects.map(({ name, title, lines }) => {
    const open = lines.filter((line) => !declared.includes(line))
    const count = `${lines.length - open.length}/${lines.length}`
    const rest = open.map((line) => line.replace(`${name} `, '')).join(', ')
    const note = open.length === 0 ? '' : `  (open: ${rest})`
    return `${name.padEnd(24)}${count.padStart(4)}  ${title}${note}`
  })
  const all = subjects.flatMap(({ lines }) => lines)
  const done = all.filter((line) => declared.includes(line)).length
  return [...rows, `${done} of ${all.length} lines covered`].join('\n')
}
