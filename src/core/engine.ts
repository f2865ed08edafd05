import type { Kernels as CommonKernels } from '#kernels/common'
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

/** The memory behind the verbs. */
let shared: Memory | undefined

/**
 * A memory of its own, at most `maximumBytes` large, for modules: what the runtime lacks shows at their compilation.
 */
function createMemory(modules: readonly KernelModule[], { maximumBytes = LARGEST_MEMORY }: EngineOptions = {}): Memory {
  modules.forEach(compileModule)
  try {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
    return new Memory(wasm, Math.min(maximumBytes, LARGEST_MEMORY))
  } catch (cause) {
    throw refusedModule(modules[0]!.name, cause)
  }
}

/** The exports of one module over a memory; a memory has one instance of each module. */
function instantiate(memory: Memory, module: KernelModule): object {
  const { name } = module
  const known = memory.instances.get(name)
  if (known) return known
  const compiled = compileModule(module) as WebAssembly.Module
  try {
    // By hand: the loader would wrap each kernel, and compiles anew what is a module of another realm (a bundler's
    // sandbox).
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: memory.wasm as WebAssembly.Memory } })
    memory.instances.set(name, exports)
    return exports
  } catch (cause) {
    throw refusedModule(name, cause)
  }
}

/** The kernels of modules over a memory. Their order does not matter: modules have no state. */
export function engineOver<K>(memory: Memory, modules: readonly KernelModule[]): Engine<K> {
  // A copy, since engines look up names in a plain object faster than in the frozen one of an instance.
  return { memory, kernels: Object.assign({}, ...modules.map((module) => instantiate(memory, module))) as K }
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
  return memory.lend(kernels, body)
}
