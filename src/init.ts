import { startEngine } from './core/engine.js'
import { MODULES as distill } from './distill/engine.js'
import { MODULES as linalg } from './linalg/decompositionEngine.js'
import { MODULES as prune } from './prune/engine.js'
import { MODULES as quantize } from './quantize/engine.js'

/**
 * Compiles the kernels of all operations ahead of the first call. `init` of an entry
 * such as `tersor/quantize` compiles those of its domain alone. Optional: every operation does it by itself.
 *
 * Compiles off the main thread where the runtime can, so that a page does not wait.
 *
 * @throws Error with `code` "unsupported-runtime" where WebAssembly or its SIMD is missing, or memory for a module
 * @throws Error with `code` "forbidden" where compiling is (a content security policy needs 'wasm-unsafe-eval')
 * @throws Error with `code` "damaged-module" where the bytes of a module are
 */
export async function init(): Promise<void> {
  await startEngine([...quantize, ...prune, ...distill, ...linalg])
}
