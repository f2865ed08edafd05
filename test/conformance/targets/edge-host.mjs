// Runs the bundle of the working directory in edge-runtime, and prints what it answers.
import { existsSync, readFileSync } from 'node:fs'
import { EdgeRuntime } from 'edge-runtime'
import { print } from './print.mjs'

// Compiled here, so that the sandbox gets a module of another realm, as from Next.
const wasmModule = existsSync('core.wasm') ? new WebAssembly.Module(readFileSync('core.wasm')) : undefined
// The start of the sandbox evaluates the bundle, and is part of what its first answer takes.
await print(() => {
  const runtime = new EdgeRuntime({
    initialCode: readFileSync('edge.js', 'utf8'),
    extend: (context) => Object.assign(context, { wasmModule })
  })
  return runtime.dispatchFetch('http://localhost/')
})
