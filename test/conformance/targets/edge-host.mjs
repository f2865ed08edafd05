// Runs the bundle of the working directory in edge-runtime, and prints what it answers.
import { readFileSync } from 'node:fs'
import { EdgeRuntime } from 'edge-runtime'

// Compiled here, so that the sandbox gets a module of another realm, as from Next.
const wasmModule = new WebAssembly.Module(readFileSync('core.wasm'))
const runtime = new EdgeRuntime({
  initialCode: readFileSync('edge.js', 'utf8'),
  extend: (context) => Object.assign(context, { wasmModule })
})
const response = await runtime.dispatchFetch('http://localhost/')
console.log(await response.text())
