import { adoptModule, defaultEngine } from './engine.js'
import { startCompiling } from './wasm.js'

/**
 * Starts the engine ahead of the first call. Optional: every operation starts it by itself.
 *
 * Compiles off the main thread where the runtime can, so that a page does not wait.
 *
 * @throws Error where WebAssembly or its SIMD is missing, or compiling is forbidden (a content security policy needs 'wasm-unsafe-eval')
 */
export async function init(): Promise<void> {
  adoptModule(await startCompiling())
  defaultEngine()
}
