import t, { type Test } from 'tap'
import { covered, subjects } from './coverage-table.ts'
import { checkCoverage, expectAck, expectAnswer, expectEvent, formatCoverage } from './coverage.ts'
import { compareAck, compareEvent, sent, type SentEvent } from './events.ts'
import { withValue, type Json } from './json.ts'

const names = Object.keys(sent) as SentEvent[]
const id = '64eec06fa61f50ab31295296'

/** A test that keeps its verdicts to itself. */
function silent(): { t: { same: Test['same'] }; verdicts: boolean[] } {
  const verdicts: boolean[] = []
  const same = (found: unknown, wanted: unknown): boolean => {
    verdicts.push(JSON.stringify(found) === JSON.stringify(wanted))
    return verdicts.at(-1) ?? false
  }
  return { t: { same }, verdicts }
}

function answer(text: string, httpStatus = 200) {
  return { httpStatus, text, body: JSON.parse(text) as Json }
}

await t.test(
  'the table has the 47 endpoints and the 8 events, and nothing else is covered',
  async (t) => {
    const lines = subjects.flatMap((subject) => subject.lines)
    t.equal(subjects.length, 47 + 8)
    t.equal(new Set(lines).size, lines.length, 'no line twice')
    t.same(
      covered.filter((line) => !lines.includes(line)),
      [],
    )
    t.equal(new Set(covered).size, covered.length, 'nothing is listed twice')
  },
)

await t.test('asserting hits a line; lost and undeclared lines are found', async (t) => {
  const dir = t.testdir({})
  t.context = process.env['CONTRACT_COVERAGE_DIR']
  process.env['CONTRACT_COVERAGE_DIR'] = dir
  t.teardown(() => {
    if (t.context === undefined) delete process.env['CONTRACT_COVERAGE_DIR']
    else process.env['CONTRACT_COVERAGE_DIR'] = String(t.context)
  })

  const quiet = silent()
  expectAnswer(t, answer('{"status":200,"msg":"申请中"}'), 8, 'success')
  expectAnswer(t, answer('{"status":429,"msg":"操作过于频繁, 请稍后再试"}'), 8, '429')
  expectAnswer(quiet.t, answer('{"status":404,"msg":"申请失败"}'), 8, 'error')
  expectAnswer(quiet.t, answer('{"status":200,"msg":"删除成功"}', 500), 10, 'success')
  expectEvent(t, 'agree_apply', [null])
  expectEvent(quiet.t, 'login', [])
  expectAck(t, 'join_group', { status: 200, msg: 'ok' }, 200)
  expectAck(t, 'login', { status: 200, msg: 'ok' }, 200)
  expectAck(t, 'logout', { status: 405, msg: 'no' }, 405)
  t.same(quiet.verdicts, [false, false, false])

  const hits = ['8 success', 'event agree_apply', 'event join_group']
  t.same(checkCoverage(dir, hits), { lost: [], undeclared: [] })
  t.same(checkCoverage(dir, ['9 success', ...hits.slice(0, 2)]), {
    lost: ['9 success'],
    undeclared: ['event join_group'],
  })
})

await t.test('the printed table counts lines and names what is open', async (t) => {
  const text = formatCoverage(['8 success', 'event private_chat'])
  t.match(text, /^8 +1\/3 +发送好友申请 +\(open: 参数缺省, error\)$/m)
  t.match(text, /^event private_chat +1\/2 .*\(open: unread_message\)$/m)
  t.match(text, /^2 of \d+ lines covered$/m)
})

await t.test('events are compared with their documented arguments', async (t) => {
  for (const name of names) {
    const args = name === 'login' ? ['p6GZ8pU2jQk1AAAB'] : sent[name]
    t.same(compareEvent(name, args), [], name)
    t.not(compareEvent(name, []).length, 0, `${name} without arguments`)
    t.not(compareEvent(name, [...args, 'offset']).length, 0, `${name} with one more`)
    t.not(compareEvent(name, [args]).length, 0, `${name} with an array`)
  }
  const [chat] = sent.private_chat
  const finds = (path: string[], value: Json): void => {
    const list = compareEvent('private_chat', [withValue(chat ?? null, path, value)])
    t.equal(list.length, 1, list.join('\n'))
  }
  finds(['time'], 'Wed Nov 29 2023 09:57:29 GMT+0800 (中国标准时间)')
  finds(['userId', 'phone'], '13800138000')
  finds(['groupInfo'], null)
  finds(['toId'], null)
  t.match(compareEvent('private_chat', [chat ?? null], [{ message: 'x' }]), [/expected "x"/])
})

await t.test('acknowledgements', async (t) => {
  const stored = { status: 200, msg: 'ok', _id: id, time: '2023-11-29T01:57:29.000Z' }
  t.same(compareAck('private_chat', stored, 200, { _id: id }), [])
  t.same(compareAck('private_chat', { status: 202, msg: 'no' }, 202), [])
  t.not(compareAck('private_chat', { status: 200, msg: 'ok' }, 200).length, 0)
  t.not(compareAck('login', { status: 200 }, 200).length, 0)
  t.not(compareAck('login', { status: 200, msg: '' }, 200).length, 0)
  t.not(compareAck('login', { status: 404, msg: 'no' }, 200).length, 0)
  t.not(compareAck('login', stored, 200).length, 0)
})
