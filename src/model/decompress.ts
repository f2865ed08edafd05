import { checkChoice, checkOptions } from '../core/check.js'
import { FormatError, rangeError } from '../core/errors.js'
import { checkAborted, checkWatch, type WatchOptions } from '../core/progress.js'
import { dequantize } from '../quantize/dequantize.js'
import type { FileTensor } from '../files/dtypes.js'
import { byteLengthOf } from '../files/dtypes.js'
import type { Model, ModelTensor } from './model.js'
import { npyHeader } from '../files/npy.js'
import { checkSink, type ModelProgress } from './recipe.js'
import { safetensorsHeader } from '../files/safetensorsWriter.js'
import { MemorySink, type ByteSink } from './writer.js'

/** An aborted call rejects with the signal's reason after the tensor at hand; a sink keeps what it was given. */
export interface DecompressOptions extends WatchOptions<ModelProgress> {
  /** default: that of the file that was compressed */
  format?: 'npy' | 'safetensors'
  /** where the file goes; without it the bytes are returned */
  sink?: ByteSink
}

const VERB = 'decompressModel'

/**
 * Writes a model out as plain F32: compressed tensors restored, F16 and BF16 widened; any other type as it is.
 *
 * Shapes: those of the originals. Defaults: the format of the file that was compressed.
 * Method: `dequantize`, bitmasks, products of factors; F16 and BF16 are exact. Memory: one tensor at a time.
 * Error: none beyond what compression reported.
 *
 * @returns the bytes, unless they went to a sink, and how many
 * @throws FormatError for a file that is broken; RangeError for format 'npy' with more than one tensor
 */
export async function decompressModel(
  model: Model,
  options: DecompressOptions = {}
): Promise<{ size: number; bytes?: Uint8Array<ArrayBuffer> }> {
  checkOptions(VERB, options, ['format', 'sink', 'signal', 'onProgress'])
  checkSink(VERB, options.sink)
  checkWatch(VERB, options)
  const format = checkChoice(VERB, 'format', options.format ?? model.sourceFormat, ['npy', 'safetensors'])
  if (format === 'npy' && model.tensors.length !== 1) {
    throw rangeError(`${VERB}: "format" npy holds one tensor, the model has ${model.tensors.length}; write safetensors`)
  }
  const memory = options.sink ? undefined : new MemorySink()
  const sink = options.sink ?? memory!
  const entries = model.tensors.map((tensor) => {
    const dtype = isWidened(tensor) ? 'F32' : tensor.dtype
    return { name: tensor.name, dtype, shape: tensor.shape, byteLength: byteLengthOf(dtype, tensor.shape) }
  })
  const header =
    format === 'npy' ? npyHeader(entries[0]!.dtype, entries[0]!.shape) : safetensorsHeader(entries, model.metadata)
  await sink.write(0, header)
  const bytes = entries.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let bytesDone = 0
  for (const [i, tensor] of model.tensors.entries()) {
    checkAborted(options.signal)
    const { data } = widen(await model.read(tensor.name))
    await sink.write(header.length + bytesDone, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    bytesDone += data.byteLength
    options.onProgress?.({ name: tensor.name, done: i + 1, total: entries.length, bytesDone, bytes })
  }
  checkAborted(options.signal)
  const size = header.length + bytesDone
  if (bytesDone !== bytes)
    throw new FormatError('bad-tensor', `${VERB}: expected ${bytes} bytes of tensors, got ${bytesDone}`)
  return memory ? { size, bytes: memory.bytes() } : { size }
}

function isWidened({ compressed, dtype }: ModelTensor): boolean {
  return compressed || dtype === 'F16' || dtype === 'BF16'
}

/** F16 and BF16 as F32. */
export function widen(tensor: FileTensor): FileTensor {
  const { dtype, shape } = tensor
  if (dtype !== 'F16' && dtype !== 'BF16') return tensor
  const format = dtype === 'F16' ? 'float16' : 'bfloat16'
  const { data } = dequantize({ format, shape, codes: tensor.data as Uint16Array<ArrayBuffer> })
  return { ...tensor, dtype: 'F32', data, byteLength: data.byteLength }
}
