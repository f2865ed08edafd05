import { frame, type Engine } from '../../engine.js'
import type { Sample } from './fitter.js'

/** The mean of a sample's rows, of zeros where there are none. */
export function fitMean(engine: Engine, { rows, count, dimensions }: Sample): Float32Array<ArrayBuffer> {
  if (count === 0) return new Float32Array(dimensions)
  return frame(engine, (memory, kernels) => {
    const mean = memory.alloc(4 * dimensions)
    kernels.meanRowsF32(mean, rows, count, dimensions, memory.alloc(8 * dimensions))
    return memory.f32(mean, dimensions).slice()
  })
}
