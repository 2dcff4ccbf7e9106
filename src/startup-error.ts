/** A failure to start that is the operator's to fix; the message is exactly one sentence. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}
