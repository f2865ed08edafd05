import { instantiateSync } from '@assemblyscript/loader'
import { base64, type Kernels } from '#core'
import { LARGEST_MEMORY, Memory } from './memory.js'

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

let compiled: WebAssembly.Module | undefined
let shared: Engine | undefined

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  // From the fastest to the one that every runtime has.
  const native = (Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64
  if (native) return native(text)
  const node = (globalThis as { Buffer?: { from(text: string, encoding: string): Uint8Array<ArrayBuffer> } }).Buffer
  if (node) return node.from(text, 'base64')
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

function compile(): WebAssembly.Module {
  const bytes = decodeBase64(base64)
  try {
    return new WebAssembly.Module(bytes)
  } catch (cause) {
    throw new Error('tersor needs WebAssembly with SIMD128, which this runtime does not offer or does not allow', {
      cause
    })
  }
}

/** A fresh instance with an arena of its own; about .1 ms once the module is compiled. */
export function createEngine({ maximumBytes = LARGEST_MEMORY }: EngineOptions = {}): Engine {
  compiled ??= compile()
  const limit = Math.min(maximumBytes, LARGEST_MEMORY)
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
  const { exports } = instantiateSync<Kernels & Record<string, unknown>>(compiled, { env: { memory: wasm } })
  return { kernels: exports, memory: new Memory(wasm, exports.heapBase(), limit) }
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

/**
 * Starts the engine ahead of the first call. Optional: every operation starts it by itself.
 *
 * Compiles off the main thread where the runtime can, so that a page does not wait.
 *
 * @throws Error where WebAssembly with SIMD128 is missing or forbidden (a content security policy needs 'wasm-unsafe-eval')
 */
export async function init(): Promise<void> {
  compiled ??= await WebAssembly.compile(decodeBase64(base64)).catch(compile)
  defaultEngine()
}
