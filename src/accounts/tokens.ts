import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSigner, createVerifier } from 'fast-jwt'
import { makeFolder } from '../database/embedded/home.ts'
import { StartupError, unusableFolder } from '../startup-error.ts'

/** Signs and checks the tokens that `/register` and `/login` answer with. */
export interface Tokens {
  sign(userId: string): string
  /** What a token says; undefined when it is forged or expired. */
  verify(token: string): Claims | undefined
}

/** For whom a token was signed, and until when. */
export interface Claims {
  readonly userId: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * @param secret HMAC key
 * @param ttl milliseconds that a token is valid
 */
export function createTokens(secret: string, ttl: number): Tokens {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: ttl })
  const verify = createVerifier({ key: secret, algorithms: ['HS256'], cache: 1000 })
  return {
    sign: (userId) => sign({ sub: userId }),
    verify(token) {
      try {
        const { sub, exp } = verify(token) as { sub?: unknown; exp?: unknown }
        if (typeof sub !== 'string' || typeof exp !== 'number') return undefined
        return { userId: sub, expiresAt: exp * 1000 }
      } catch {
        return undefined
      }
    },
  }
}

/**
 * The secret kept in the data folder, made at the first start, readable by its owner only.
 *
 * @throws StartupError when the folder cannot be written
 */
export async function keptSecret(dataDir: string): Promise<string> {
  const file = join(dataDir, 'token-secret')
  try {
    await makeFolder(dataDir)
    // 'wx' never overwrites: two servers that start together agree on the first one's.
    await writeFile(file, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' }).catch(
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      },
    )
    const secret = await readWritten(file)
    if (secret.length < 32) throw new StartupError(`${file} holds no usable secret: delete it.`)
    return secret
  } catch (error) {
    if (error instanceof StartupError) throw error
    throw unusableFolder('DATA_DIR', dataDir, error)
  }
}

/** The one who made the file may not have written into it yet. */
async function readWritten(file: string): Promise<string> {
  for (let attemptsLeft = 20; ; attemptsLeft--) {
    const text = await readFile(file, 'utf8')
    if (text !== '' || attemptsLeft === 0) return text
    await sleep(20)
  }
}
