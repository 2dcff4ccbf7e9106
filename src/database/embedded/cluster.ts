import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { StartupError } from '../../startup-error.ts'
import type { Home } from './home.ts'
import { run } from './processes.ts'

/**
 * Looks at the cluster before anything is started.
 * @param major the PostgreSQL that we bring, such as '18'
 * @returns the superuser's password; undefined when there is no cluster yet
 * @throws StartupError when the cluster is another PostgreSQL's or its password is lost
 */
export async function inspectCluster(home: Home, major: string): Promise<string | undefined> {
  const names = await readdir(home.folder)
  if (!names.includes('data')) return undefined
  const version = await readFile(path.join(home.data, 'PG_VERSION'), 'utf8').catch(() => '')
  if (version.trim() !== major) {
    const whose = version ? `is of PostgreSQL ${version.trim()}` : 'is no database of PostgreSQL'
    throw new StartupError(`The folder ${home.data} ${whose}, and this server brings ${major}.`)
  }
  if (!names.includes('password')) {
    throw new StartupError(`The password of the embedded database, ${home.passwordFile}, is gone.`)
  }
  return (await readFile(home.passwordFile, 'utf8')).trim()
}

/**
 * Makes the cluster with a new password. It is made under another name first, so that whatever
 * stands at `data` is complete; only the holder of the claim may call this.
 * @param durable whether the files reach the disk before this returns
 * @returns the superuser's password
 * @throws StartupError with initdb's reason
 */
export async function createCluster(home: Home, initdb: string, durable: boolean): Promise<string> {
  for (const name of await readdir(home.folder)) {
    if (!name.startsWith('new-')) continue
    // An initdb that outlived its server may still be filling the folder.
    const patience = { maxRetries: 10, retryDelay: 50 }
    await rm(path.join(home.folder, name), { recursive: true, force: true, ...patience })
  }
  const password = randomBytes(24).toString('base64url')
  await rm(home.passwordFile, { force: true })
  await writeFile(home.passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx', flush: durable })
  const draft = await mkdtemp(path.join(home.folder, 'new-'))
  if (home.account) {
    const { uid, gid } = home.account
    await chown(home.passwordFile, uid, gid)
    await chown(draft, uid, gid)
  }
  const { problem } = await run(initdb, initdbArgs(home, draft, durable), home.account)
  if (problem) {
    await rm(draft, { recursive: true, force: true })
    throw new StartupError(`The embedded database cannot be made in ${home.folder}: ${problem}.`)
  }
  await rename(draft, home.data)
  if (durable) await syncFolder(home.folder)
  return password
}

function initdbArgs(home: Home, draft: string, durable: boolean) {
  return [
    ...['--pgdata', draft, '--username', 'postgres', '--pwfile', home.passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
    ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    // Written to postgresql.conf, where an operator may change them.
    ...['--set', 'max_connections=100', '--set', 'log_checkpoints=off'],
    ...(durable ? [] : ['--no-sync']),
  ]
}

async function syncFolder(folder: string) {
  const handle = await open(folder)
  await handle.sync()
  await handle.close()
}
