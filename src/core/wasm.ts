import { stateError } from './errors.js'
import { base64, module, type Kernels } from '#core'

export type { Kernels }

/** A WebAssembly.Module; not called by its name, so that the declarations need no library of the web's types. */
export type WasmModule = object

/** A module whose one function is v128.const: valid where SIMD128 is. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 22, 1, 20, 0, 253, 12],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]
)

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  // From the fastest to the one that every runtime has.
  const native = (Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64
  if (native) return native(text)
  const node = (globalThis as { Buffer?: { from(text: string, encoding: string): Uint8Array<ArrayBuffer> } }).Buffer
  if (node) return node.from(text, 'base64')
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Says what is missing before the compiler says it with an offset. */
function checkFeatures(): void {
  if (typeof WebAssembly !== 'object') {
    throw stateError(
      'unsupported-runtime',
      'tersor needs WebAssembly, which this runtime does not have; run it where there is one'
    )
  }
  if (!WebAssembly.validate(SIMD_PROBE)) {
    throw stateError(
      'unsupported-runtime',
      'tersor needs the WebAssembly feature SIMD (SIMD128, "fixed-width SIMD"), which this runtime does not have; ' +
        'it is in Node 16.4, Deno 1.9, Bun, Chrome 91, Firefox 89, Safari 16.4 and later'
    )
  }
}

/** How the engines say that a page's policy, or an isolate, lets nobody compile. */
const FORBIDDEN = /disallow|refuse|block|unsafe-eval/i

function explained(cause: unknown): unknown {
  if (!(cause instanceof Error && FORBIDDEN.test(cause.message))) return cause
  return stateError(
    'forbidden',
    "tersor may not compile its WebAssembly here: a content security policy needs 'wasm-unsafe-eval' in script-src; for Cloudflare " +
      'Workers and edge runtimes, bundle with the condition workerd or edge-light',
    { cause }
  )
}

/** The core's module: the one that the bundle brought, or compiled from the bytes in it. */
export function compileModule(): WasmModule {
  if (module) return module
  checkFeatures()
  try {
    return new WebAssembly.Module(decodeBase64(base64))
  } catch (cause) {
    throw explained(cause)
  }
}

/** The same off the main thread. */
export async function startCompiling(): Promise<WasmModule> {
  if (module) return module
  checkFeatures()
  // Some engines have no thread to spare for it, and say no.
  return WebAssembly.compile(decodeBase64(base64)).catch(compileModule)
}
