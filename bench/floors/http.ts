/**
 * The floor of the list endpoints: Fastify and pg with one named prepared statement, generic plan,
 * rows as arrays, shaped in JavaScript into the same bytes; no check, no rule, nothing else.
 */
import Fastify from 'fastify'
import pg from 'pg'
import type { WireTimes } from '../../src/wire/times.ts'
import { wireTimes } from '../../src/wire/times.ts'
import { floors } from './statements.ts'

const [url, timezone = 'Asia/Shanghai'] = process.argv.slice(2)
const pool = new pg.Pool({
  connectionString: url,
  max: 10,
  options: '-c plan_cache_mode=force_generic_plan -c TimeZone=UTC',
  types: {
    getTypeParser: (oid: number) =>
      oid === 1184
        ? (text: string) => new Date(`${text.slice(0, -3).replace(' ', 'T')}Z`)
        : oid === 20
          ? Number
          : (text: string) => text,
  },
})
const times: WireTimes = wireTimes(timezone)
const app = Fastify()
for (const { path, text, values, shape } of floors) {
  app.get(path, async (request) => {
    const query = request.query as Record<string, string>
    const { rows } = await pool.query({
      name: path,
      text,
      values: values(query),
      rowMode: 'array',
    })
    return shape(rows as never, query, times)
  })
}
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as { port: number }
process.stdout.write(`HTTP       http://127.0.0.1:${port}\n`)
