import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, realpath, stat, symlink, unlink } from 'node:fs/promises'
import path from 'node:path'
import { StartupError } from '../../startup-error.ts'
import { type Account, run } from './processes.ts'

/** Where clusters live whose DATA_DIR PostgreSQL's user cannot enter. */
const elsewhere = '/var/lib/waifchat'

/** The folder of one cluster: its data, password, log, claims and copy of the binaries. */
export interface Home {
  folder: string
  data: string
  passwordFile: string
  logFile: string
  /** Whom PostgreSQL runs as, since it refuses root; undefined when we are not root. */
  account: Account | undefined
}

/**
 * Chooses and makes the folder of the cluster: `postgres` in the data folder, or as root, where
 * the user that PostgreSQL runs as cannot follow, a folder below /var/lib that it links to.
 * @param dataDir absolute, existing, without links
 * @param log receives whom PostgreSQL runs as, when it is not us
 * @throws StartupError when the cluster exists where that user cannot reach it
 */
export async function chooseHome(dataDir: string, log: (message: string) => void): Promise<Home> {
  const near = path.join(dataDir, 'postgres')
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  const far = path.join(elsewhere, hash)
  const asRoot = process.getuid?.() === 0

  let folder = await realpath(near).catch(() => undefined)
  if (!folder && asRoot && (await exists(path.join(far, 'data')))) folder = far
  const account = asRoot ? await chooseAccount(folder && path.join(folder, 'data')) : undefined
  folder ??= !account || (await canEnter(account, dataDir)) ? near : far

  // A link whose folder was deleted would stand in the way.
  if (!(await exists(near))) await unlink(near).catch(() => undefined)
  await makeFolder(folder)
  if (account) {
    if (path.dirname(folder) === elsewhere) await chmod(elsewhere, 0o755)
    await chmod(folder, 0o755)
    if (folder === far) await symlink(far, near).catch(() => undefined)
    if (!(await canEnter(account, folder))) {
      throw new StartupError(
        `PostgreSQL refuses to run as root, and the user ${account.name} that it runs as instead ` +
          `cannot reach its data in ${folder}.`,
      )
    }
    const why = folder === near ? '' : `, who may not enter ${dataDir}`
    log(`PostgreSQL runs as ${account.name}${why}; data in ${folder}`)
  }
  return {
    folder,
    data: path.join(folder, 'data'),
    passwordFile: path.join(folder, 'password'),
    logFile: path.join(folder, 'postgres.log'),
    account,
  }
}

/** Makes a folder and those above it; mkdir's own `recursive` never ends below /proc. */
export async function makeFolder(folder: string): Promise<void> {
  if (await exists(folder)) return makeOne(folder)
  if (path.dirname(folder) !== folder) await makeFolder(path.dirname(folder))
  await makeOne(folder)
}

async function makeOne(folder: string) {
  await mkdir(folder).catch(async (error: unknown) => {
    const isThere = await stat(folder).then(
      (it) => it.isDirectory(),
      () => false,
    )
    if (!isThere) throw error
  })
}

/** The owner of an existing cluster; for a new one `postgres`, else the least that can be had. */
async function chooseAccount(data: string | undefined): Promise<Account> {
  const accounts = parsePasswd(await readFile('/etc/passwd', 'utf8').catch(() => ''))
  const owner = data ? await stat(data).catch(() => undefined) : undefined
  if (owner?.uid) {
    const known = accounts.find(({ uid }) => uid === owner.uid)
    return known ?? { uid: owner.uid, gid: owner.gid, name: `number ${owner.uid}` }
  }
  const named = (name: string) => accounts.find((account) => account.name === name)
  return (
    named('postgres') ??
    named('nobody') ??
    accounts.find(({ uid }) => uid > 0) ?? { uid: 65534, gid: 65534, name: 'number 65534' }
  )
}

function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':')
    return Number(uid) && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}

/** Tried as that user: modes alone know nothing of access lists and mounts. */
async function canEnter(account: Account, folder: string) {
  const { problem } = await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], account)
  return problem === undefined
}

async function exists(file: string) {
  return (await stat(file).catch(() => undefined)) !== undefined
}
