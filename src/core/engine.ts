import { demangle } from '@assemblyscript/loader'
import { LARGEST_MEMORY, Memory } from './memory.js'
import { compileModule, type Kernels, type WasmModule } from './wasm.js'

export type { Kernels }

/** One instance of the core and its memory. */
export interface Engine {
  readonly kernels: Kernels
  readonly memory: Memory
}

export interface EngineOptions {
  /** most bytes of linear memory; default 4 GiB less a page */
  maximumBytes?: number
}

let compiled: WasmModule | undefined
let shared: Engine | undefined

/** The compiled core: one for all engines, also for those of other threads. */
export function coreModule(): WasmModule {
  return (compiled ??= compileModule())
}

/** Takes a core that was compiled elsewhere: off this thread, or by another one. */
export function adoptModule(module: WasmModule): void {
  compiled ??= module
}

/** A fresh instance with an arena of its own; about .1 ms once the module is compiled. */
export function createEngine({ maximumBytes = LARGEST_MEMORY }: EngineOptions = {}): Engine {
  const module = coreModule()
  const limit = Math.min(maximumBytes, LARGEST_MEMORY)
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
  // Not the loader's instantiateSync: it compiles anew what is a module of another realm, as a bundler's sandbox hands over.
  const { exports } = new WebAssembly.Instance(module as WebAssembly.Module, { env: { memory: wasm } })
  const kernels = demangle<Kernels & Record<string, unknown>>(exports)
  return { kernels, memory: new Memory(wasm, kernels.heapBase(), limit) }
}

/** The engine behind the verbs, started at the first of them. */
export function defaultEngine(): Engine {
  return (shared ??= createEngine())
}

/**
 * Runs `body` and takes back every allocation that it made, also when it throws.
 */
export function frame<T>(engine: Engine, body: (memory: Memory, kernels: Kernels) => T): T {
  const mark = engine.memory.mark()
  try {
    return body(engine.memory, engine.kernels)
  } finally {
    engine.memory.release(mark)
  }
}
