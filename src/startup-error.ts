/** A failure to start that is the operator's to fix; the message is exactly one sentence. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

/** A folder that a setting names and that the server cannot use. */
export function unusableFolder(setting: string, folder: string, error: unknown): StartupError {
  return new StartupError(`${setting}=${folder} cannot be used: ${(error as Error).message}.`)
}
