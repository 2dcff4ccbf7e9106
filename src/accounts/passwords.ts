import argon2 from 'argon2'

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** More at once would occupy every thread that file reads need too. */
const AT_ONCE = 2
const MOST_WAITING = 64
/** Longest password in UTF-16 units; hashing a longer one costs the server, not the attacker. */
export const LONGEST_PASSWORD = 128

/** Hashes and checks passwords, two at a time; the rest wait in line. */
export interface Passwords {
  /** @throws Error when too many wait already */
  hash(password: string): Promise<string>
  /** @throws Error when too many wait already */
  verify(hash: string, password: string): Promise<boolean>
}

export function createPasswords(): Passwords {
  let running = 0
  const waiting: (() => void)[] = []

  async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (running < AT_ONCE) running += 1
    else {
      if (waiting.length >= MOST_WAITING) throw new Error('too many passwords wait to be hashed')
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

  return {
    hash: (password) => inTurn(() => argon2.hash(password, PARAMETERS)),
    verify: (hash, password) => inTurn(() => argon2.verify(hash, password)),
  }
}
