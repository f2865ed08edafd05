import { kernels, type Kernels } from '#kernels/prune-masks'
import { sharedEngineOf, startEngine, type Engine as EngineOf } from '../core/engine.js'

export { frame } from '../core/engine.js'
export type { Kernels }

/** The kernels of pruning. */
export type Engine = EngineOf<Kernels>

export const MODULES = [kernels]

let shared: Engine | undefined

/** The engine behind the verbs, started at the first of them. */
export function defaultEngine(): Engine {
  return (shared ??= sharedEngineOf<Kernels>(MODULES))
}

/**
 * Compiles the kernels of pruning ahead of the first call. Optional: every operation does it by itself.
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
