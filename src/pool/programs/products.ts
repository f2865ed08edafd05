import type { TensorLike } from '../../core/tensor.js'
import { compare } from '../../linalg/compare.js'
import { gramOfRows, prepareGram, type GramOptions } from '../../linalg/gram.js'
import type { GramParts } from '../../linalg/gramKind.js'
import { matmul } from '../../linalg/matmul.js'
import type { Program } from '../plan.js'
import { matmulProgram } from '../plans/matmul.js'
import { compareTilesProgram, gramProgram } from '../plans/products.js'
import { runWhole, type WholeChunk } from '../plans/whole.js'

/** A Gram as data, which is how it crosses threads. */
function gram(rows: TensorLike, options?: GramOptions): GramParts {
  const { source, settings, first } = prepareGram(rows, options)
  return gramOfRows(source, settings, first).parts()
}

/** The programs of products, by the names that plans ask for. */
export const programs: Readonly<Record<string, Program>> = {
  compareTiles: compareTilesProgram,
  gram: gramProgram,
  matmul: matmulProgram,
  wholeProducts: (chunk: WholeChunk) => runWhole({ compare, gram, matmul }, chunk)
}
