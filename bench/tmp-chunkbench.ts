import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '/work/wt-files/src/database/embedded.ts'
import { chunkForm, send } from '/work/wt-files/bench/lib/http.ts'
import { startProgram } from '/work/wt-files/bench/lib/processes.ts'
import { repeat, median } from '/work/wt-files/bench/lib/rounds.ts'
const folder = await mkdtemp(join(tmpdir(), 'cb-'))
const db = await startEmbedded({ dataDir: join(folder, 'database') })

const variants: Record<string,string>[] = JSON.parse(process.env.VARIANTS ?? '[{}]')
const servers = []
for (const [i, v] of variants.entries()) servers.push({ label: JSON.stringify(v), p: await startProgram('src/main.ts', /^HTTP\s+(\S+)$/, { DATABASE_URL: db.url, DATA_DIR: join(folder, 'data'), UPLOAD_DIR: join(folder, 'uploads' + i), PORT: '0', SOCKET_PORT: '0', LOG_LEVEL: 'warn', ...v }) , path: '/chat/file/private', r: [] as any[] })
const bare = await startProgram('bench/lib/bare.ts', /^HTTP\s+(\S+)$/, { BENCH_FOLDER: folder })
const chunk = randomBytes(1 << 20)
const N = 200
// schedstat-based precise cpu per thread
const cpu = (pid: number) => { let main = 0, other = 0; for (const t of readdirSync(`/proc/${pid}/task`)) { const ns = Number(readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[0]); if (Number(t) === pid) main += ns; else other += ns } const s = readFileSync(`/proc/${pid}/stat`,'utf8'); const f = s.slice(s.lastIndexOf(')')).split(' ').slice(1); return { main: main/1000, other: other/1000, u: Number(f[11])*1e4, s: Number(f[12])*1e4 } }
servers.push({ label: 'bare', p: bare, path: '/', r: [] as any[] })

for (let round = 0; round < 14; round++) {
  for (const x of servers) {
    const h = createHash('md5').update(String(Math.random())).digest('hex')
    const b = cpu(x.p.pid)
    await repeat(N, 6, async (i) => { const { body, headers } = chunkForm(h, i, chunk); await send(x.p.said + x.path, body, headers) })
    const a = cpu(x.p.pid)
    if (round > 2) x.r.push(Object.fromEntries(Object.keys(a).map((k) => [k, Math.round(((a as any)[k] - (b as any)[k]) / N)])))
  }
  for (const x of servers) if (x.label !== 'bare') await rm(join(folder, 'uploads' + servers.indexOf(x), '.chunks'), { recursive: true }).then(() => import('node:fs/promises')).then((f) => f.mkdir(join(folder, 'uploads' + servers.indexOf(x), '.chunks')))
}
const bareR = servers.at(-1)!.r
for (const x of servers) console.log(x.label, ['main','other','u','s'].map((k) => k + ' ' + median(x.r.map((r: any) => r[k]))).join(' '), 'ratio', median(x.r.map((r: any, i: number) => (r.main + r.other) / (bareR[i].main + bareR[i].other))).toFixed(2), 'medians', (median(x.r.map((r: any)=>r.main+r.other))/median(bareR.map((r: any)=>r.main+r.other))).toFixed(2))
for (const x of servers) await x.p.stop()
await db.stop(); await rm(folder, { recursive: true, force: true })
