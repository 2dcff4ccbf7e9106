/** npm run database:health: what is wrong with the data and the upload folder, if anything. */
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { runCommand, say } from './command.ts'

interface Problem {
  readonly check: string
  readonly table: string
  readonly key: string
  readonly problem: string
}

await runCommand(async ({ client, settings }) => {
  // Sorting in memory, and no compiling for a question that is asked once.
  await client.query("set work_mem = '256MB'; set jit = off")
  const { rows: problems } = await client.query<Problem>(
    `select check_name as check, table_name as table, row_key as key, problem
    from health_problems`,
  )
  const { rows: files } = await client.query<{ name: string; size: string }>(
    'select stored_name as name, size_bytes as size from files order by 1',
  )
  const folder = resolve(settings.uploadDir)
  for (const { name, size } of files) {
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found?.size === Number(size)) continue
    const is = found === undefined ? 'is not there' : `has ${found.size} bytes, not ${size}`
    const problem = `the file ${is} in ${folder}`
    problems.push({ check: 'file_on_disk', table: 'files', key: name, problem })
  }
  for (const { check, table, key, problem } of problems) {
    say(`${check}  ${table}  ${key}  ${problem}`)
  }
  say(problems.length === 0 ? 'No problems.' : `${problems.length} problems.`)
  return problems.length === 0
})
