import { rangeError } from '../../../core/errors.js'
import type { Method } from '../quantizer.js'

/** The bits asked for, of those that a method has. */
export function chosenBits(method: Method, bits: unknown, known: readonly number[], otherwise: number): number {
  const value = bits ?? otherwise
  if (!known.includes(value as number)) {
    throw rangeError(`fitCodec: "bits" expected one of ${known.join(', ')} for ${method}, got ${String(value)}`)
  }
  return value as number
}

/** Throws where there are fewer rows than centroids. */
export function checkCentroids(rows: number, centroids: number, advice: string): void {
  if (rows < centroids) {
    throw rangeError(
      `fitCodec: "sample" expected at least ${centroids} rows for as many centroids, got ${rows}; ${advice}`
    )
  }
}
