// Runs the bundle of the working directory in edge-runtime, and prints what it answers.
import { readFileSync } from 'node:fs'
import { EdgeRuntime } from 'edge-runtime'
import { print } from './print.mjs'
import { wasmModulesOf } from './wasmModules.mjs'

const wasmModules = wasmModulesOf('.')
// The start of the sandbox evaluates the bundle, and is part of what its first answer takes.
await print(() => {
  const runtime = new EdgeRuntime({
    initialCode: readFileSync('edge.js', 'utf8'),
    extend: (context) => Object.assign(context, { wasmModules })
  })
  return runtime.dispatchFetch('http://localhost/')
})
