// Serves the bundle of the working directory in edge-runtime, and prints the address.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { EdgeRuntime, runServer } = createRequire(new URL('../../conformance/', import.meta.url))('edge-runtime')

// Compiled here, so that the sandbox gets a module of another realm, as from Next.
const wasmModule = new WebAssembly.Module(readFileSync('core.wasm'))
const runtime = new EdgeRuntime({
  initialCode: readFileSync('edge.js', 'utf8'),
  extend: (context) => Object.assign(context, { wasmModule })
})
const { url } = await runServer({ runtime, host: '127.0.0.1' })
console.log(url)
