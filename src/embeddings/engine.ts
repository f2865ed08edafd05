import { kernels as scan, type Kernels as ScanKernels } from '#kernels/embeddings-scan'
import { kernels as codec, type Kernels as CodecKernels } from '#kernels/embeddings-codec'
import { kernels as fit, type Kernels as FitKernels } from '#kernels/embeddings-fit'
import {
  createEngineOf,
  sharedEngineOf,
  startEngine,
  type Engine as EngineOf,
  type EngineOptions
} from '../core/engine.js'

export { frame } from '../core/engine.js'

/** What these modules export together. */
export type Kernels = ScanKernels & CodecKernels & FitKernels

/** The kernels of embeddings. */
export type Engine = EngineOf<Kernels>

export const MODULES = [scan, codec, fit]

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
