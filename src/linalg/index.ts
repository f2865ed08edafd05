/**
 * Linear algebra on packed panels.
 *
 * Two modules of kernels: productEngine (products, moments, differences) and decompositionEngine (all else, on those).
 * Read matrix and product, then matmul, compare and gram (rowTree, moments, mergeTree, sketch, pca). Then qr, cholesky
 * and triangular, then decompose and svd. Last come truncated/ (it reads a matrix in passes), procrustes and ridge
 * (ridgeSolvers). May import core and files.
 */
export { init } from './decompositionEngine.js'
export { cholesky, type Cholesky, type CholeskyOptions } from './cholesky.js'
export { compare, type Comparison } from './compare.js'
export { procrustes, type Procrustes, type ProcrustesOptions } from './procrustes.js'
export { qr, type Qr, type QrOptions } from './qr.js'
export { ridge, type Ridge, type RidgeOptions } from './ridge.js'
export { matmul, type MatmulOptions } from './matmul.js'
export { solveTriangular, type SolveTriangularOptions } from './triangular.js'
export { createGram, gram, openGram, type Gram, type GramOptions } from './gram.js'
export type { Pca, PcaOptions } from './pca.js'
export {
  truncatedSvd,
  type AsyncRowStream,
  type LinearOperator,
  type RowStream,
  type TruncatedSvd,
  type TruncatedSvdOptions
} from './truncatedSvd.js'
export { svd, type Svd } from './svd.js'
