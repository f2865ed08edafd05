// What a page hears whose policy forbids WebAssembly: from a verb, and from init.
import { init, quantize } from './node_modules/tersor/build/index.js'

const said = (error) => ({ isError: error instanceof Error, message: error.message })
const result = {}
try {
  quantize([1, 2, 3], { format: 'int8' })
} catch (error) {
  result.verb = said(error)
}
await init().catch((error) => {
  result.init = said(error)
})
globalThis.result = result
