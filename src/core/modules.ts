import { stateError } from './errors.js'

/** A WebAssembly.Module; not called by its name, so that the declarations need no library of the web's types. */
export type WasmModule = object

/** A module of kernels, as `#kernels/…` carries it. */
export interface KernelModule {
  /** names the module */
  readonly name: string
  /** its bytes as text (tools/kernels.mjs writes it); empty where `module` is there */
  readonly text: string
  /** FNV-1a over its 32-bit words */
  readonly sum: number
  /** the module as a bundler compiled it, for runtimes that compile no bytes */
  readonly module: WasmModule | undefined
}

/** A module whose one function is v128.const: valid where SIMD128 is. */
const SIMD_PROBE = /* @__PURE__ */ Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 22, 1, 20, 0, 253, 12],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]
)

/** Modules by name, compiled once for all engines, which a pool hands to its threads, too. */
const compiled = /* @__PURE__ */ new Map<string, WasmModule>()

/**
 * Text to bytes. A digit is a character from '#' on, with '!' in the place of the backslash. A byte is one digit, 4
 * above it, where that is below 90; other bytes have two digits, of which the first is 90 or 91. gzip packs this as
 * well as the bytes themselves.
 */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  let size = 0
  let above = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const digit = (code === 33 ? 92 : code) - 35
    if (above === 0 && digit >= 90) above = 92 * digit - 8190
    else {
      bytes[size++] = above + digit - 4
      above = 0
    }
  }
  return bytes.subarray(0, size)
}

/** The bytes of a module, checked: a damaged copy could give other results without a word. */
function bytesOf({ name, text, sum }: KernelModule): Uint8Array<ArrayBuffer> {
  const bytes = decode(text)
  if (checksum(bytes) === sum) return bytes
  throw stateError('damaged-module', `tersor's kernels of ${name} are damaged in this copy; install or bundle it again`)
}

/** FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo) over 32-bit words, the last one filled up with zeros. */
function checksum(bytes: Uint8Array): number {
  const words = new Int32Array(Math.ceil(bytes.length / 4))
  new Uint8Array(words.buffer).set(bytes)
  return words.reduce((sum, word) => Math.imul(sum ^ word, 16777619), -2128831035)
}

const unsupported = (what: string, cause?: unknown): Error => stateError('unsupported-runtime', what, { cause })

/** Says what is missing before the compiler says it with an offset. */
function checkFeatures(): void {
  if (typeof WebAssembly !== 'object') {
    throw unsupported('tersor needs WebAssembly, which this runtime does not have; run it where there is one')
  }
  if (!WebAssembly.validate(SIMD_PROBE)) {
    throw unsupported(
      'tersor needs the WebAssembly feature SIMD (SIMD128, "fixed-width SIMD"), which this runtime does not have; ' +
        'it is in Node 16.4, Deno 1.9, Bun, Chrome 91, Firefox 89, Safari 16.4 and later'
    )
  }
}

/** How the engines say that a page's policy, or an isolate, lets nobody compile. */
const FORBIDDEN = /disallow|refuse|block|unsafe-eval/i

/** Why a runtime takes no kernels of that name. */
export function refusedModule(name: string, cause: unknown): Error {
  const message = String((cause as { message?: unknown }).message)
  if (!FORBIDDEN.test(message)) {
    return unsupported(`this runtime refuses tersor's kernels of ${name}: ${message}; give it more memory`, cause)
  }
  return stateError(
    'forbidden',
    `tersor may not compile its kernels of ${name} here: a content security policy needs 'wasm-unsafe-eval' in script-src; ` +
      'for Cloudflare Workers and edge runtimes, bundle with the condition workerd or edge-light',
    { cause }
  )
}

/** A module, compiled at its first use. */
export function compileModule(kernels: KernelModule): WasmModule {
  const { name, module } = kernels
  const known = compiled.get(name)
  if (known) return known
  if (module) return keep(name, module)
  checkFeatures()
  const bytes = bytesOf(kernels)
  try {
    return keep(name, new WebAssembly.Module(bytes))
  } catch (cause) {
    throw refusedModule(name, cause)
  }
}

/** The same off the main thread. */
export async function startCompiling(kernels: KernelModule): Promise<WasmModule> {
  const { name, module } = kernels
  if (module || compiled.has(name)) return compileModule(kernels)
  checkFeatures()
  // Some engines have no thread to spare for it, and say no.
  const made = await WebAssembly.compile(bytesOf(kernels)).catch(() => compileModule(kernels))
  return keep(name, made)
}

function keep(name: string, module: WasmModule): WasmModule {
  compiled.set(name, module)
  return module
}
