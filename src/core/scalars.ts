import { kernels, type Kernels } from '#kernels/common'
import { sharedEngineOf } from './engine.js'

let shared: Kernels | undefined

function common(): Kernels {
  return (shared ??= sharedEngineOf<Kernels>([kernels]).kernels)
}

/** Base 10 logarithm of a positive normal number. Hosts differ in the last bits of theirs. */
export function log10(x: number): number {
  return common().log10F64(x)
}

/** The rounded square root. A host's own need not be that by its standard. */
export function sqrt(x: number): number {
  return common().sqrtF64(x)
}
