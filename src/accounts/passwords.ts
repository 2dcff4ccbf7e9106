import { createHash } from 'node:crypto'
import argon2 from 'argon2'
import bcrypt from 'bcryptjs'
import { Fault } from '../fault.ts'
import { askerAt, createCounts } from '../wire/limits.ts'

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** More at once would occupy every thread that file reads need too. */
const AT_ONCE = 2
const MOST_WAITING = 64
/** Of them, those of one address of another machine, so that it cannot keep all others out. */
const MOST_OF_ADDRESS = { most: 16, onLoopback: false }
/** Longest password in UTF-16 units; hashing a longer one costs the server, not the attacker. */
export const LONGEST_PASSWORD = 128

/** An imported MD5 is kept inside an argon2id, behind this mark. */
const OVER_MD5 = 'md5:'
/** The hash of an account that nobody can log in to. */
export const NO_PASSWORD = '!'

/** Hashes and checks passwords, two at a time; the rest wait in line. */
export interface Passwords {
  /**
   * @param address who asks for it; nobody outside where there is none
   * @throws Error when too many wait already
   */
  hash(password: string, address?: string): Promise<string>
  /**
   * Whether it is the password of a hash, in whatever form that is kept.
   *
   * @param address who asks
   * @throws Error when too many wait already
   */
  verify(hash: string, password: string, address?: string): Promise<boolean>
  /**
   * What `users.password_hash` keeps of a password as the original kept it: bcrypt and our own
   * forms as they are, an MD5 inside an argon2id, a plain text as its argon2id.
   */
  adopt(original: string): Promise<string>
}

/** What a password of the original is. */
export type PasswordForm = 'plain' | 'md5' | 'bcrypt' | 'ours'

/** @param atOnce hashes that are computed at the same time */
export function createPasswords(atOnce = AT_ONCE): Passwords {
  let running = 0
  const waiting: (() => void)[] = []
  const places = createCounts()

  async function inPlace<Result>(
    address: string | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const asker = askerAt(address, MOST_OF_ADDRESS)
    if (asker === undefined) return inTurn(work)
    if (places.of(asker) >= MOST_OF_ADDRESS.most)
      throw new Fault('too many passwords of an address')
    places.change(asker, 1)
    return inTurn(work).finally(() => places.change(asker, -1))
  }

  async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (running < atOnce) running += 1
    else {
      if (waiting.length >= MOST_WAITING) throw new Fault('too many passwords wait to be hashed')
      // The one who finishes hands over its place, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }

  const hash = (password: string, address?: string) =>
    inPlace(address, () => argon2.hash(password, PARAMETERS))
  return {
    hash,
    verify: (kept, password, address) => inPlace(address, () => matches(kept, password)),
    async adopt(original) {
      const form = passwordForm(original)
      if (form === 'plain') return hash(original)
      if (form === 'md5') return OVER_MD5 + (await hash(original.toLowerCase()))
      return original
    },
  }
}

/** Whether a hash is weaker than what a new password gets; a login replaces it then. */
export function isOutdated(hash: string): boolean {
  return !hash.startsWith('$argon2id$') || argon2.needsRehash(hash, PARAMETERS)
}

/** What a password of the original is; 32 hex digits are taken for an MD5. */
export function passwordForm(original: string): PasswordForm {
  if (original === NO_PASSWORD || /^(md5:)?\$argon2id\$v=\d+\$/.test(original)) return 'ours'
  if (/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(original)) return 'bcrypt'
  return /^[0-9a-f]{32}$/i.test(original) ? 'md5' : 'plain'
}

async function matches(kept: string, password: string): Promise<boolean> {
  if (kept === NO_PASSWORD) return false
  if (passwordForm(kept) === 'bcrypt') return bcrypt.compare(password, kept)
  if (!kept.startsWith(OVER_MD5)) return argon2.verify(kept, password)
  const md5 = createHash('md5').update(password).digest('hex')
  return argon2.verify(kept.slice(OVER_MD5.length), md5)
}
