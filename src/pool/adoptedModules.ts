import { stateError } from '../core/errors.js'
import type { KernelModule, WasmModule } from '../core/modules.js'

// Stands in workers in the place of src/core/modules.ts. They compile nothing: the thread that starts them hands over
// its modules.

const adopted = /* @__PURE__ */ new Map<string, WasmModule>()

/** Takes a module that another thread has compiled. */
export function adoptModule(name: string, module: WasmModule): void {
  adopted.set(name, module)
}

/** A module that was handed over. Runtimes may drop a message with one that they cannot read. */
export function compileModule({ name }: KernelModule): WasmModule {
  const module = adopted.get(name)
  if (module) return module
  throw stateError('unsupported-runtime', `a worker of the pool did not get tersor's kernels of ${name}`)
}

/** The same, as it is asked for ahead of the first call. */
export async function startCompiling(kernels: KernelModule): Promise<WasmModule> {
  return compileModule(kernels)
}

/** Why a worker takes no kernels of that name. */
export function refusedModule(name: string, cause: unknown): Error {
  const message = String((cause as { message?: unknown }).message)
  const what = `a worker of the pool refuses tersor's kernels of ${name}: ${message}; give it more memory`
  return stateError('unsupported-runtime', what, { cause })
}
