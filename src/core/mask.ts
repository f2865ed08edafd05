import { rangeError, typeError } from './errors.js'
import { checkAttached, isArrayOf, show } from './check.js'
import { sizeOf } from './tensor.js'

/** One bit an element in row-major order, least significant bit first: 1 = kept. Unused bits of the last byte are 0. */
export interface Bitmask {
  bits: Uint8Array<ArrayBuffer>
  shape: number[]
}

/** Checks a mask against the shape it has to fit. */
export function checkMask(verb: string, mask: unknown, shape: readonly number[]): Bitmask {
  const given = mask as Partial<Bitmask> | null
  if (
    typeof given !== 'object' ||
    given === null ||
    !isArrayOf(given.bits, Uint8Array) ||
    !Array.isArray(given.shape)
  ) {
    throw typeError(`${verb}: "mask" expected { bits: Uint8Array, shape }, got ${show(mask)}`)
  }
  if (given.shape.length !== shape.length || given.shape.some((n, i) => n !== shape[i])) {
    throw rangeError(
      `${verb}: "mask" expected shape [${shape.join(', ')}] as the tensor's, got [${given.shape.join(', ')}]`
    )
  }
  const bytes = Math.ceil(sizeOf(shape) / 8)
  if (given.bits.length !== bytes) {
    checkAttached(`${verb}: "mask.bits"`, given.bits)
    throw rangeError(`${verb}: "mask.bits" expected ${bytes} bytes, got ${given.bits.length}`)
  }
  return given as Bitmask
}
