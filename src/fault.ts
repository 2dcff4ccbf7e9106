/** An error of our own whose words are constant: they may be logged, because nobody sent them. */
export class Fault extends Error {
  override readonly name = 'Fault'
}
