// Numbers of the ABI, for kernels and faces alike: asc and tsc both compile this file.

/** What is summed along k before it is added. Cuts along k are multiples of it. */
export const DEPTH = 256
/** What a product does with the matrix that is there. */
export const SUBTRACT = 0
export const ADD = 1
export const WRITE = 2
/** Sweeps of Jacobi's rotations, as LAPACK's dgesvj.f. */
export const MOST_SWEEPS = 30
/** What exponents are where an element is not finite, and where all are 0. */
export const NOT_FINITE = 9999
export const ALL_ZERO = -9999
