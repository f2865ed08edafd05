import { typeError } from '../core/errors.js'
import { checkAttached } from '../core/check.js'
import type { NumberArray, Source } from '../core/tensor.js'
import { isShared } from './protocol.js'

/** A tensor whose array the pool owns. */
export interface Owned {
  readonly data: NumberArray
  readonly shape: readonly number[]
  readonly dtype?: string
}

/** A tensor as verbs take it. */
export function asTensor({ data, shape, bits }: Source): Owned {
  return { data, shape, ...(bits ? { dtype: bits } : {}) }
}

/** Takes the arrays of tensors from the caller, whose views end at once; undefined where all are shared memory. */
export function takeArrays(tensors: readonly Source[]): Owned[] | undefined {
  const shared = tensors.filter(({ data }) => isShared(data.buffer))
  if (shared.length === tensors.length) return undefined
  tensors.forEach((tensor, i) => {
    const { name, data } = tensor
    if (isShared(data.buffer)) return
    if (data.byteLength !== data.buffer.byteLength) {
      throw typeError(
        `${name} expected, to be transferred, an array that fills its buffer, got ${data.byteLength} of ` +
          `${data.buffer.byteLength} bytes; copy it (data.slice()) or leave "transfer" out`
      )
    }
    const twin = tensors.slice(0, i).find((other) => other.data.buffer === data.buffer)
    if (twin) {
      throw typeError(`${name} cannot be transferred: its buffer goes with ${twin.name} already; copy one of them`)
    }
  })
  return tensors.map((tensor) => ({ ...asTensor(tensor), data: takeArray(tensor.name, tensor.data) }))
}

function takeArray<T extends NumberArray>(name: string, data: T): T {
  if (isShared(data.buffer)) return data
  checkAttached(name, data)
  const refused = (why: string, cause?: unknown): TypeError =>
    typeError(
      `${name} cannot be transferred: ${why}; copy it (data.slice()) or leave "transfer" out`,
      'invalid-value',
      { cause }
    )
  let taken: T
  try {
    taken = structuredClone(data, { transfer: [data.buffer as ArrayBuffer] })
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause), cause)
  }
  // Node copies what cannot be detached, such as the memory of a WebAssembly instance.
  if (data.byteLength > 0) throw refused('its buffer cannot be detached')
  return taken
}
