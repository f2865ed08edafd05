// Browsers, each in the way in which it can be driven: the table is the page's global `result`.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { hasPackage, installed } from './find.mjs'
import { until } from './scope.mjs'
import { serve } from './serve.mjs'
import { webkit } from './webkit.mjs'

/** What a strict page has to allow; the tables come from pages that allow no more. */
export const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:"

const SWITCHES = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync']
]

/** Signals are ours to handle: the scope closes the browser. */
const OPTIONS = { timeout: 30_000, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }

/** The two drivers have these calls in common. A browser that is still starting when the scope ends is closed, too. */
async function opened(launching, defer, address) {
  defer(async () => (await launching).close())
  const page = await (await launching).newPage()
  await page.goto(address)
  return () => page.evaluate(() => globalThis.result)
}

/** Each opens an address, and gives what asks the page for its result. */
const open = {
  async chromium({ program: executablePath, address, defer }) {
    const { chromium } = await import('playwright-core')
    return opened(chromium.launch({ executablePath, args: SWITCHES, ...OPTIONS }), defer, address)
  },

  async firefox({ program: executablePath, profile, address, defer }) {
    const { launch } = await import('puppeteer-core')
    const launching = launch({ browser: 'firefox', executablePath, userDataDir: profile, ...OPTIONS })
    defer(async () => (await launching).process().kill('SIGKILL'))
    return opened(launching, defer, address)
  },

  webkit
}

/** What a page of the project leaves in its global `result`. */
export async function resultOf(engine, program, path, { project, defer, policy = POLICY }) {
  const address = await serve(defer, project, { 'content-security-policy': policy })
  // In the project, with which it goes.
  const profile = mkdtempSync(join(project, 'profile-'))
  const read = await open[engine]({ program, profile, address: `${address}/${path}`, defer })
  return until(defer, read)
}

const browser = (name, engine, found) => ({
  name,
  found,
  run: (program, use) => resultOf(engine, program, 'page.html', use)
})

/** Where a Chromium is; CHROMIUM_PATH comes first. */
export const chromium = hasPackage('playwright-core')
  ? (process.env.CHROMIUM_PATH ?? installed('chromium', 'chromium-browser', 'google-chrome'))
  : undefined

export const browsers = [
  browser('Chromium', 'chromium', chromium),
  browser('Firefox', 'firefox', hasPackage('puppeteer-core') ? installed('firefox-esr', 'firefox') : undefined),
  browser('WebKitGTK', 'webkit', installed('Xvfb') && installed('WebKitWebDriver'))
]
