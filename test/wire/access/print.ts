/** Writes the table of docs/access.md from what the server declares. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../../../src/database/embedded.ts'
import { startServer } from '../../../src/server.ts'
import { readSettings } from '../../../src/settings.ts'
import { accessPage, pageWith } from './document.ts'
import { accessLines, accessTable } from './table.ts'

const folder = await mkdtemp(join(tmpdir(), 'waifchat-docs-'))
// Started by root, PostgreSQL runs as another user, who must be able to enter.
await chmod(folder, 0o755)
const dataDir = join(folder, 'data')
const embedded = await startEmbedded({ dataDir, settings: { fsync: 'off' } })
try {
  const settings = readSettings({
    PORT: '0',
    SOCKET_PORT: '0',
    DATA_DIR: dataDir,
    UPLOAD_DIR: join(folder, 'uploads'),
    LOG_LEVEL: 'error',
  })
  const server = await startServer(settings, embedded.url)
  await server.stop()
  await writeFile(accessPage, await pageWith(accessTable(accessLines(server.access))))
} finally {
  await embedded.stop()
  await rm(folder, { recursive: true, force: true })
}
