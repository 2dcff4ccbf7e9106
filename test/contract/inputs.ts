/** An id that nothing has. */
export const NOBODY = 'ffffffffffffffffffffffff'
/** What is no id at all. */
export const MALFORMED = ['', 'x', NOBODY.toUpperCase(), `${NOBODY}0`, "' or 1=1 --"]
/** Pictures that no avatar may show: the client appends them to the address of the server. */
export const STRANGE_PICTURES = [
  '@evil.example/a.png',
  '.evil.example/a.png',
  ':80@evil.example/a.png',
  '//evil.example/a.png',
  'http://evil.example/a.png',
  'file:///etc/passwd',
  '/a.png?x',
  '/a"onerror="x',
  'a.png',
  ' ',
]
/** The longest text that may be written, 5,000 code points. */
export const LONGEST = '😀'.repeat(5_000)
