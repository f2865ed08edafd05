// Serves the bundle of the working directory in edge-runtime, and prints the address.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { wasmModulesOf } from '../../conformance/targets/wasmModules.mjs'

const { EdgeRuntime, runServer } = createRequire(new URL('../../conformance/', import.meta.url))('edge-runtime')

const wasmModules = wasmModulesOf('.')
const runtime = new EdgeRuntime({
  initialCode: readFileSync('edge.js', 'utf8'),
  extend: (context) => Object.assign(context, { wasmModules })
})
const { url } = await runServer({ runtime, host: '127.0.0.1' })
console.log(url)
