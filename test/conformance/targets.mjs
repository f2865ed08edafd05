// The runtimes that the table is checked on: how each is found, and how it runs the table.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = new URL('../../', import.meta.url)
const here = new URL('./', import.meta.url)
const main = fileURLToPath(new URL('main.mjs', here))

/** Debian's and the usual places of a Chromium; CHROMIUM_PATH comes first. */
const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.html': 'text/html' }

async function parsed(command, args) {
  const { stdout } = await run(command, args, { cwd: fileURLToPath(here), maxBuffer: 1 << 24 })
  return JSON.parse(stdout)
}

function deno() {
  const path = fileURLToPath(new URL('node_modules/.bin/deno', here))
  return existsSync(path) ? path : undefined
}

function chromium() {
  const path = process.env.CHROMIUM_PATH ?? CHROMIUMS.find((candidate) => existsSync(candidate))
  try {
    createRequire(import.meta.url).resolve('playwright-core')
  } catch {
    return undefined
  }
  return path
}

/** Serves the checkout on a free port of this machine while `use` runs. */
async function serve(use) {
  const server = createServer(async ({ url }, response) => {
    try {
      const { pathname } = new URL(url, 'http://localhost')
      const body = await readFile(new URL(`.${pathname}`, root))
      response.writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'application/octet-stream' }).end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(`http://127.0.0.1:${server.address().port}`)
  } finally {
    server.close()
  }
}

async function inChromium(executablePath) {
  const { chromium: driver } = await import('playwright-core')
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
  const browser = await driver.launch({
    executablePath,
    args: [...args, '--disable-component-update', '--disable-sync']
  })
  try {
    return await serve(async (address) => {
      const page = await browser.newPage()
      await page.goto(`${address}/test/conformance/page.html`)
      await page.waitForFunction('globalThis.result !== undefined', undefined, { timeout: 120_000 })
      const { table, error } = await page.evaluate('globalThis.result')
      if (error) throw new Error(error)
      return table
    })
  } finally {
    await browser.close()
  }
}

/** name, where it was found (undefined: not here), and what runs the table there */
export const targets = [
  { name: 'Node', found: process.execPath, table: (path) => parsed(path, [main]) },
  // No permission flag: the package needs none.
  {
    name: 'Deno',
    found: deno(),
    table: (path) => parsed(path, ['run', '--no-config', '--no-lock', '--no-prompt', main])
  },
  { name: 'Chromium', found: chromium(), table: inChromium }
]
