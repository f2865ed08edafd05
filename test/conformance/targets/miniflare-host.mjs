// Runs the bundle of the working directory in workerd through Miniflare, and prints what it answers.
import { readdirSync } from 'node:fs'
import { Miniflare } from 'miniflare'

// The first module is the main one.
const modules = ['worker.js', ...readdirSync('.').filter((file) => file.endsWith('.wasm'))].map((path) => ({
  type: path.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule',
  path
}))
const miniflare = new Miniflare({ modules, compatibilityDate: '2026-01-01', telemetry: { enabled: false }, cf: false })
try {
  const response = await miniflare.dispatchFetch('http://localhost/')
  console.log(await response.text())
} finally {
  await miniflare.dispose()
}
