import { kernels, type Kernels } from '#kernels/linalg-products'
import { createEngineOf, sharedEngineOf, type Engine as EngineOf, type EngineOptions } from '../core/engine.js'

export { frame } from '../core/engine.js'
export type { Kernels }

/** The kernels of products, second moments and differences. */
export type Engine = EngineOf<Kernels>

export const MODULES = [kernels]

let shared: Engine | undefined

/** The engine behind the verbs, started at the first of them. */
export function defaultEngine(): Engine {
  return (shared ??= sharedEngineOf<Kernels>(MODULES))
}

/** Such an engine with a memory of its own. */
export function createEngine(options?: EngineOptions): Engine {
  return createEngineOf<Kernels>(MODULES, options)
}
