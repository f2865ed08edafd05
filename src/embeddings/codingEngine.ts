import { kernels as codec } from '#kernels/embeddings-codec'
import { kernels as fit } from '#kernels/embeddings-fit'
import { createEngineOf, sharedEngineOf, startEngine, type EngineOptions } from '../core/engine.js'
import { SEARCHING, type Engine, type Kernels } from './engine.js'

export { frame } from '../core/engine.js'
export type { Engine, Kernels }

/** The kernels that encoding, decoding and fitting take, beside those of searching. */
export const MODULES = /* @__PURE__ */ SEARCHING.concat(codec, fit)

let shared: Engine | undefined

/** The engine behind the verbs, started at the first of them. */
export function defaultEngine(): Engine {
  return (shared ??= sharedEngineOf<Kernels>(MODULES))
}

/** Such an engine with a memory of its own. */
export function createEngine(options?: EngineOptions): Engine {
  return createEngineOf<Kernels>(MODULES, options)
}

/**
 * Compiles the kernels of embeddings ahead of the first call. Optional: every operation does it by itself.
 *
 * Compiles off the main thread where the runtime can, so that a page does not wait.
 *
 * @throws Error with `code` "unsupported-runtime" where WebAssembly or its SIMD is missing, or memory for a module
 * @throws Error with `code` "forbidden" where compiling is (a content security policy needs 'wasm-unsafe-eval')
 * @throws Error with `code` "damaged-module" where the bytes of a module are
 */
export async function init(): Promise<void> {
  await startEngine(MODULES)
}
