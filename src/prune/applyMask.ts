import { defaultEngine, frame } from './engine.js'
import { checkMask, type Bitmask } from '../core/mask.js'
import { loadF32, readTensor, type Tensor, type TensorLike } from '../core/tensor.js'
import { eachRun, TILE } from '../core/tiles.js'

const VERB = 'applyMask'

/**
 * The tensor where the mask's bit is 1, +0 elsewhere: to keep pruned weights at zero while training goes on.
 *
 * Shapes: the mask's is the tensor's. Method: bitwise and on f32 patterns, so kept elements (also NaN) keep their bits.
 * Error: none.
 *
 * @throws TypeError for something that is no mask; RangeError for a mask of another shape
 */
export function applyMask(tensor: TensorLike, mask: Bitmask): Tensor {
  const source = readTensor(VERB, 'tensor', tensor)
  const { bits } = checkMask(VERB, mask, source.shape)
  const data = new Float32Array(source.size)
  frame(defaultEngine(), (memory, kernels) => {
    const values = memory.alloc(4 * TILE)
    const kept = memory.alloc(TILE / 8)
    eachRun(source.size, (start, length) => {
      loadF32(memory, kernels, values, source, start, length)
      const bytes = Math.ceil(length / 8)
      memory.u8(kept, bytes).set(bits.subarray(start / 8, start / 8 + bytes))
      kernels.applyBits(values, values, kept, length)
      data.set(memory.f32(values, length), start)
    })
  })
  return { data, shape: [...source.shape] }
}
