import { kernels, type Kernels } from '#kernels/prune-storage'
import { sharedEngineOf, type Engine } from '../core/engine.js'

export { frame } from '../core/engine.js'

let shared: Engine<Kernels> | undefined

/** The engine of sparse storage. It lacks what chooses the elements that stay: who opens a model needs none of that. */
export function storageEngine(): Engine<Kernels> {
  return (shared ??= sharedEngineOf<Kernels>([kernels]))
}
