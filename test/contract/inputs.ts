/** An id that nothing has. */
export const NOBODY = 'ffffffffffffffffffffffff'
/** What is no id at all. */
export const MALFORMED = ['', 'x', NOBODY.toUpperCase(), `${NOBODY}0`, "' or 1=1 --"]
/** The longest text that may be written, 5,000 code points. */
export const LONGEST = '😀'.repeat(5_000)
