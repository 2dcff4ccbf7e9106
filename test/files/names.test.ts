import t from 'tap'
import {
  chunkIndex,
  freshStamp,
  isFileHash,
  isFileName,
  joinedName,
  shownName,
  stampedName,
} from '../../src/files/names.ts'

await t.test('stamps are the time, and never the same', async (t) => {
  const before = Date.now()
  const stamps = Array.from({ length: 1000 }, freshStamp)
  t.equal(new Set(stamps).size, 1000)
  t.ok((stamps[0] ?? 0) >= before)
})

await t.test('stored names can stand in an address as they are', async (t) => {
  const names = {
    '黄鼠狼.jpg': '1-黄鼠狼.jpg',
    'a#b?c%d\\e"f\'g`h<i>.png': '1-a_b_c_d_e_f_g_h_i_.png',
    'a\u0000b\nc\u007fd\u0085e\u2028f.png': '1-a_b_c_d_e_f.png',
    'gnp.\u202eexe': '1-gnp._exe',
    '  spaces .png  ': '1-spaces .png',
    'a/b': '1-a_b',
    '': '1-',
    '😀👨‍👩‍👧.gif': '1-😀👨‍👩‍👧.gif',
  }
  for (const [original, stored] of Object.entries(names)) {
    t.equal(stampedName(1, original), stored)
  }
})

await t.test('stored names fit on the disk, whole characters and suffix kept', async (t) => {
  const stamp = 1_701_695_366_668
  for (const sign of ['x', 'é', '很', '😀']) {
    for (let length = 50; length < 400; length += 1) {
      const name = stampedName(stamp, `${sign.repeat(length)}.jpeg`)
      const bytes = Buffer.byteLength(name)
      t.ok(
        bytes <= 255 && name.endsWith('.jpeg') && name.isWellFormed() && !name.includes('\ufffd'),
      )
      if (length * Buffer.byteLength(sign) > 255) t.ok(bytes > 255 - Buffer.byteLength(sign))
    }
  }
  t.equal(Buffer.byteLength(stampedName(stamp, `a.${'b'.repeat(300)}`)), 255)
})

await t.test('the suffix of a joined file', async (t) => {
  const hash = '0'.repeat(32)
  const suffixes = {
    'a.tar.gz': '.gz',
    'a.JPG': '.JPG',
    a: '',
    'a.': '',
    '..': '',
    'a.b c': '',
    'a.很': '',
    [`a.${'b'.repeat(11)}`]: '',
  }
  for (const [name, suffix] of Object.entries(suffixes)) {
    t.equal(joinedName(hash, name), hash + suffix)
  }
})

await t.test('names of pictures that have none', async (t) => {
  t.equal(shownName('a', 'image/png'), 'a')
  t.equal(shownName('', 'image/jpeg'), 'picture.jpeg')
  t.equal(shownName('', 'image/x-icon'), 'picture.icon')
})

await t.test('keys, indexes and file names', async (t) => {
  const hash = 'adc960a0c14c9a143ca0266005633c53'
  t.ok(isFileHash(hash))
  for (const bad of ['', hash.toUpperCase(), `${hash}0`, `${hash}\n`, hash.slice(1), 7, [hash]]) {
    t.notOk(isFileHash(bad), String(bad))
  }
  t.equal(chunkIndex(`${hash}-0`, hash), 0)
  t.equal(chunkIndex(`${hash}-2047`, hash), 2047)
  for (const bad of ['-00', '-', '--1', '-1.0', '-1e1', '-1234567', '-1/..', '-1\n', '- 1', '']) {
    t.equal(chunkIndex(hash + bad, hash), undefined, bad)
  }
  t.equal(chunkIndex(`${'0'.repeat(32)}-0`, hash), undefined, 'of another file')
  for (const good of ['a', '很.txt', '..', 'a b']) t.ok(isFileName(good))
  for (const bad of ['', 'a/b', 'a\\b', 'a\0', 'a\r', '\ud800', 'x'.repeat(1025)]) {
    t.notOk(isFileName(bad), bad.slice(0, 10))
  }
})
