import fc from 'fast-check'
import { NOBODY } from '../contract/inputs.ts'

/** About a mebibyte; each is rare, because reading them is most of the work. */
const MEBIBYTE = 2 ** 20

const clumsy = [
  '',
  ' ',
  '0',
  '-1',
  '1e309',
  'NaN',
  'null',
  'undefined',
  'true',
  '[]',
  '{}',
  '[object Object]',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  NOBODY,
  NOBODY.toUpperCase(),
  `${NOBODY}0`,
  `${NOBODY}\n`,
  `0x${NOBODY.slice(2)}`,
  "' or 1=1 --",
  "'; drop table users; --",
  '%',
  '%%',
  '\\',
  '%00',
  '../../../../etc/passwd',
  '..\\..\\x',
  '/dev/zero',
  'file:///etc/passwd',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '\0',
  'a\0b',
  '\ud800',
  '\udc00\ud800',
  '\ufeff',
  '\u202e',
  '\uffff',
  '🏳️‍🌈',
  'e\u0301'.repeat(20),
  'ﷺ'.repeat(100),
  '😀'.repeat(16),
  '99999999999999999999',
  '9007199254740993',
  '-0',
  '1.5',
  '２',
  '2000-02-30',
  '0000-00-00',
  '+275760-09-13',
  '13800138000',
  '1380013800',
  '男',
] as const

// fast-check's own units take a second to set up: it looks up each one that there is.
const signs = (max: number) =>
  fc.string({ unit: fc.nat(max).map((code) => String.fromCodePoint(code)), maxLength: 40 })

/** Texts that programs have stumbled over: NUL, halves of surrogate pairs, code, long ones. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...clumsy) },
  { weight: 3, arbitrary: signs(0xffff) },
  { weight: 3, arbitrary: signs(0x10ffff) },
  { weight: 2, arbitrary: signs(0x7f) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...clumsy, 'a', '[', '(', '*', '`', '<div>'),
        fc.integer({ min: 1, max: 300 }),
      )
      .map(([text, times]) => text.repeat(times).slice(0, 4_000)),
  },
)

/** A text of about a mebibyte, of a few kinds. */
export const hugeText = fc
  .constantFrom('a', '0', '[', '\\', '"', '\0', '😀', '<div>', '*', '%')
  .map((text) => text.repeat(MEBIBYTE / text.length))

/** Written as JSON, a level costs as much as there are levels around it. */
function nested(levels: number): unknown {
  return levels === 0 ? 0 : [nested(levels - 1)]
}

/** Anything that JSON can say where a text is meant. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: hostileText },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      null,
      true,
      0,
      -0,
      -1,
      1.5,
      1e21,
      2 ** 53,
      [],
      {},
      [[]],
      [null],
      { length: 1 },
      { toString: 'x' },
      { _id: NOBODY },
      { $ne: null },
      { $gt: '' },
    ),
  },
  { weight: 1, arbitrary: fc.array(hostileText, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(hostileText, hostileText, { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(...[1, 2, 3, 10, 30, 100, 300, 2_000].map(nested)) },
)

/** Names that must be nobody's. */
export const hostileName = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'userId[]', '', 'a.b'),
  hostileText,
)
