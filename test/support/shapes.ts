export const sizeOf = (shape: readonly number[]): number => shape.reduce((total, dim) => total * dim, 1)

/** Lengths around those that loops of 4, 8, 16 and 32 lanes take apart. */
export const LENGTHS: readonly number[] = [...Array.from({ length: 18 }, (_, n) => n), 31, 33, 255, 257, 1023]

/** Elements of the largest piece of a tensor that the core works on at once. */
export const TILE = 32768
