import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, readlink } from 'node:fs/promises'
import path from 'node:path'

/** The system user that a child runs as; only root may name one. */
export interface Account {
  uid: number
  gid: number
  name: string
}

/**
 * How children start: with none of our environment (PGPORT, LD_LIBRARY_PATH and the like change
 * PostgreSQL), in a folder that every user may enter.
 * @param account whom to run as; undefined for the user that we are
 */
export function childOptions(account: Account | undefined) {
  const env = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' }
  return { cwd: '/', env, ...(account && { uid: account.uid, gid: account.gid }) }
}

/**
 * Runs a program to its end.
 * @returns its standard output, and what went wrong if something did: one line
 */
export function run(
  file: string,
  args: string[],
  account?: Account,
): Promise<{ output: string; problem?: string }> {
  return new Promise((resolve) => {
    execFile(file, args, childOptions(account), (error, stdout, stderr) => {
      const output = stdout.trim()
      if (!error) resolve({ output })
      else resolve({ output, problem: tellingLine(stderr) || tellingLine(error.message) })
    })
  })
}

/**
 * The line of a PostgreSQL log or error output that says why it ended: the last fatal one, else
 * the last; empty when there is none.
 */
export function tellingLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim())
  // Of a port, the fatal line says nothing but that it failed.
  const line =
    lines.findLast((line) => line.includes('could not bind')) ??
    lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ??
    lines.at(-1) ??
    ''
  const withoutTime = line.replace(/^[\d-]+ [\d:.]+ \S+ \[\d+\] /, '')
  return withoutTime.replace(/\s+/g, ' ').replace(/\.$/, '')
}

/** Whether process `pid` is a PostgreSQL server that runs the cluster in `data`. */
export async function isPostgresOf(pid: number, data: string): Promise<boolean> {
  if (!hasProcfs()) {
    const { output } = await run('ps', ['-ww', '-p', String(pid), '-o', 'args='])
    // What is not ASCII comes out of ps in some escaped form.
    return ['postgres', ...data.split(/[^ -~]+/)].every((part) => output.includes(part))
  }
  const text = await readProcfs(`/proc/${pid}/cmdline`)
  const [program = '', ...args] = text.split('\0')
  if (path.basename(program) !== 'postgres') return false
  // It works in its data folder, also when somebody started it by hand with another spelling.
  return args.includes(data) || (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === data
}

/**
 * Tells a process from all others that ever had or will have its id.
 * @returns twelve hex digits; undefined when no such process lives
 */
export async function birthOf(pid: number): Promise<string | undefined> {
  const when = hasProcfs() ? await procfsBirth(pid) : await psBirth(pid)
  return when && createHash('sha256').update(when).digest('hex').slice(0, 12)
}

async function procfsBirth(pid: number) {
  const stat = await readProcfs(`/proc/${pid}/stat`)
  // The second field, the program's name, may hold spaces and brackets.
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === '' || 'ZX'.includes(state)) return undefined
  const boot = await readProcfs('/proc/sys/kernel/random/boot_id')
  return `${boot} ${fields[18] ?? ''}`
}

async function psBirth(pid: number) {
  const { output } = await run('ps', ['-p', String(pid), '-o', 'lstart='])
  return output || undefined
}

/** Empty for a process that is gone or hidden; any other failure must not pass for one. */
async function readProcfs(file: string) {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return ''
    throw error
  })
}

function hasProcfs() {
  return existsSync('/proc/self/stat')
}
