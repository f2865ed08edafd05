// Runs the bundle of the working directory in workerd through Miniflare, and prints what it answers.
import { readdirSync } from 'node:fs'
import { Miniflare } from 'miniflare'
import { print } from './print.mjs'

// The first module is the main one.
const modules = ['worker.js', ...readdirSync('.').filter((file) => file.endsWith('.wasm'))].map((path) => ({
  type: path.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule',
  path
}))
let miniflare
try {
  // The start of the isolate evaluates the modules, and is part of what its first answer takes.
  await print(() => {
    miniflare = new Miniflare({ modules, compatibilityDate: '2026-01-01', telemetry: { enabled: false }, cf: false })
    return miniflare.dispatchFetch('http://localhost/')
  })
} finally {
  await miniflare.dispose()
}
