import { createServer } from 'node:net'
import { start, textOf } from './children.mjs'
import { until } from './scope.mjs'

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** One command of the W3C WebDriver protocol. */
async function command(address, path, body) {
  const response = await fetch(address + path, body && { method: 'POST', body: JSON.stringify(body) })
  const { value } = await response.json()
  if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`)
  return value
}

/** WebKitGTK has no headless mode: a display of its own, then its driver, which starts the MiniBrowser beside it. */
export async function webkit({ program, profile, address, defer }) {
  const folders = ['HOME', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR']
  const own = Object.fromEntries(folders.map((name) => [name, profile]))

  const quiet = ['ignore', 'ignore', 'ignore']
  const screen = start(defer, 'Xvfb', ['-displayfd', '3', '-nolisten', 'tcp', '-screen', '0', '800x600x24'], {
    stdio: [...quiet, 'pipe']
  })
  const display = await Promise.race([textOf(screen.child.stdio[3], true), screen.failed])

  const port = await freePort()
  const driver = start(defer, program, [`--port=${port}`, '--host=127.0.0.1'], {
    env: { ...process.env, ...own, DISPLAY: `:${display.trim()}` },
    stdio: quiet
  })
  const root = `http://127.0.0.1:${port}`
  const ready = until(defer, () => command(root, '/status').catch(() => undefined))
  await Promise.race([ready, driver.failed])

  const { sessionId } = await command(root, '/session', { capabilities: { alwaysMatch: {} } })
  const session = `${root}/session/${sessionId}`
  defer(() => fetch(session, { method: 'DELETE' }).catch(() => {}))
  await command(session, '/url', { url: address })
  return () => command(session, '/execute/sync', { script: 'return globalThis.result', args: [] })
}
