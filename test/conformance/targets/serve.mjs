import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.html': 'text/html' }

/** Serves a folder on a free port of this machine until the scope ends. */
export async function serve(defer, folder, headers) {
  const server = createServer(async ({ url }, response) => {
    try {
      const { pathname } = new URL(url, 'http://localhost')
      const body = await readFile(join(folder, pathname))
      response.writeHead(200, { ...headers, 'content-type': TYPES[extname(pathname)] ?? 'application/octet-stream' })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  defer(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${server.address().port}`
}
