import type { Kernels as CommonKernels } from '#kernels/common'
import { demangle } from '@assemblyscript/loader'
import { stateError } from './errors.js'
import { LARGEST_MEMORY, Memory } from './memory.js'
import { compileModule, refusedModule, startCompiling, type KernelModule } from './modules.js'

/** Kernels over one linear memory. */
export interface Engine<K> {
  readonly kernels: K
  readonly memory: Memory
}

/** What reading 16-bit floats takes; every module has it. */
export type HalfKernels = Pick<CommonKernels, 'decodeBF16' | 'decodeF16'>

export interface EngineOptions {
  /** most bytes of linear memory; default 4 GiB less a page */
  maximumBytes?: number
}

/** What `demangle` makes of an export: a function around it, which sets a number of arguments that no kernel asks for. */
type Wrapped = (() => void) & { readonly original: unknown }

/** The memory behind the verbs. */
let shared: Memory | undefined

/** A memory of its own, at most `maximumBytes` large, for modules: what the runtime lacks shows at their compilation. */
function createMemory(modules: readonly KernelModule[], { maximumBytes = LARGEST_MEMORY }: EngineOptions = {}): Memory {
  modules.forEach(compileModule)
  try {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
    return new Memory(wasm, Math.min(maximumBytes, LARGEST_MEMORY))
  } catch (cause) {
    throw stateError('unsupported-runtime', `this runtime has no memory for tersor's kernels of ${modules[0]!.name}`, {
      cause
    })
  }
}

/** The kernels of one module over a memory; a memory has one instance of each module. */
function instantiate(memory: Memory, module: KernelModule): object {
  const { name } = module
  const known = memory.instances.get(name)
  if (known) return known
  const compiled = compileModule(module) as WebAssembly.Module
  let wrapped: Record<string, Wrapped>
  try {
    // Not the loader's instantiateSync: it compiles anew what is a module of another realm, as a bundler's sandbox hands over.
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: memory.wasm as WebAssembly.Memory } })
    wrapped = demangle<Record<string, Wrapped>>(exports)
  } catch (cause) {
    throw refusedModule(name, cause)
  }
  const kernels = Object.fromEntries(Object.entries(wrapped).map(([key, { original }]) => [key, original]))
  memory.instances.set(name, kernels)
  return kernels
}

/** The kernels of modules over a memory. Order does not matter: modules have no state. */
export function engineOver<K>(memory: Memory, modules: readonly KernelModule[]): Engine<K> {
  const [first, ...others] = modules.map((module) => instantiate(memory, module))
  return { memory, kernels: (others.length === 0 ? first : Object.assign({}, first, ...others)) as K }
}

/** Such kernels with a memory of their own. */
export function createEngineOf<K>(modules: readonly KernelModule[], options: EngineOptions = {}): Engine<K> {
  return engineOver(createMemory(modules, options), modules)
}

/** Such kernels over the memory that all verbs share, whatever their domain. */
export function sharedEngineOf<K>(modules: readonly KernelModule[]): Engine<K> {
  return engineOver((shared ??= createMemory(modules)), modules)
}

/** Compiles modules off the main thread, where the runtime can, ahead of the first call. */
export async function startEngine(modules: readonly KernelModule[]): Promise<void> {
  await Promise.all(modules.map(startCompiling))
  sharedEngineOf(modules)
}

/** Runs `body` and takes back every allocation that it made, also when it throws. */
export function frame<K, T>({ memory, kernels }: Engine<K>, body: (memory: Memory, kernels: K) => T): T {
  return memory.frame(() => body(memory, kernels))
}
