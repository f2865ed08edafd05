import { checkOptions, checkPositive } from '../core/check.js'
import { defaultEngine, frame } from './engine.js'
import { loadF32, type Tensor, type TensorLike } from '../core/tensor.js'
import { badLogitsError, eachLogitTile, readLogits, rowsInLogitTile, type Logits } from './logits.js'

export interface SoftmaxOptions {
  /** divides the logits; default 1 */
  temperature?: number
}

/**
 * Probabilities of logits: exp((z - max z) / T) / sum, along the last dimension.
 *
 * Shapes: (…, classes) to the same. Defaults: temperature 1. -Infinity masks a class (probability 0).
 * Method: exponentials in f32 (degree 6, S. L. Moshier's Cephes), sums by blocks of 256 in f64.
 * Error: at most 4e-7 absolute; relative at most 4e-7 + 1.3e-7 |log p|.
 *
 * @throws RangeError for NaN or +Infinity (index named), a row that is masked wholly, a temperature that is not above 0
 */
export function softmax(logits: TensorLike, options: SoftmaxOptions = {}): Tensor {
  return alongRows('softmax', logits, options)
}

/**
 * Logarithms of `softmax`, without passing through probabilities that vanish.
 *
 * Shapes, defaults and errors thrown as `softmax`.
 * A masked class gives -Infinity, as does a logit so far below that f32 ends.
 * Method: (z - max z) / T - log(sum exp((z - max z) / T)) in f64.
 * Error: for the logits as f32: one rounding of the result, and 1e-13 (1 + the greatest |logit| / T).
 */
export function logSoftmax(logits: TensorLike, options: SoftmaxOptions = {}): Tensor {
  return alongRows('logSoftmax', logits, options)
}

function alongRows(verb: SoftmaxVerb, value: TensorLike, options: SoftmaxOptions): Tensor {
  const { logits, temperature } = prepareSoftmax(verb, value, options)
  const data = new Float32Array(logits.source.size)
  softmaxRows(verb, logits, temperature, data)
  return { data, shape: [...logits.source.shape] }
}

export type SoftmaxVerb = 'softmax' | 'logSoftmax'

/** Reads and checks what `softmax` or `logSoftmax` is asked. */
export function prepareSoftmax(
  verb: SoftmaxVerb,
  value: TensorLike,
  options: SoftmaxOptions
): { logits: Logits; temperature: number } {
  checkOptions(verb, options, ['temperature'])
  const temperature = checkPositive(verb, 'temperature', options.temperature === undefined ? 1 : options.temperature)
  return { logits: readLogits(verb, 'logits', value), temperature }
}

export function softmaxRows(
  verb: SoftmaxVerb,
  logits: Logits,
  temperature: number,
  data: Float32Array<ArrayBuffer>
): void {
  const { source, classes } = logits
  frame(defaultEngine(), (memory, kernels) => {
    const kernel = verb === 'softmax' ? kernels.softmaxF32 : kernels.logSoftmaxF32
    const bytes = 4 * classes * Math.min(logits.rows, rowsInLogitTile(classes))
    const input = memory.alloc(bytes)
    const output = memory.alloc(bytes)
    const state = memory.alloc(4)
    eachLogitTile(logits, (first, count, start, length) => {
      loadF32(memory, kernels, input, source, start, length)
      const bad = kernel(output, state, input, count, classes, temperature)
      if (bad >= 0) throw badLogitsError(logits, first + bad)
      data.set(memory.f32(output, length), start)
    })
  })
}
