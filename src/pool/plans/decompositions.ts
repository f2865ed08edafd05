import { MODULES } from '../../linalg/decompositionEngine.js'
import { partOf, sizeOf, type Source, type TensorLike } from '../../core/tensor.js'
import type { Floats } from '../../linalg/matrix.js'
import { decompose, emptySvd, mergeSvd, prepareSvd, type Svd, type SvdOptions } from '../../linalg/svd.js'
import { once, type Plan, type Steps } from '../plan.js'

/** Elements of the matrices that make a chunk: a decomposition costs more than its elements. */
const SVD_CHUNK = 16384
/** A matrix of more takes its thread for tens of milliseconds and up. */
const LASTING = 65536

interface SvdChunk {
  readonly source: Source
  readonly wide: boolean
}

/** Each matrix is decomposed by one thread. */
export function svdPlan(matrix: TensorLike, options?: SvdOptions): Plan<Svd> {
  const { source, type } = prepareSvd(matrix, options)
  const [rows, columns] = source.shape.slice(-2) as [number, number]
  const size = rows * columns
  const count = size ? sizeOf(source.shape.slice(0, -2)) : 0
  const step = Math.max(1, Math.floor(SVD_CHUNK / Math.max(1, size)))
  const result = emptySvd<Floats>(source, type)
  const starts = Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step)
  return {
    verb: 'svd',
    program: 'svd',
    modules: MODULES,
    chunks: starts.map((first) => (): SvdChunk => {
      const many = Math.min(step, count - first)
      const part = partOf(source, first * size, many * size, [many, rows, columns])
      return { source: part, wide: type === Float64Array }
    }),
    take: (chunk, part) => mergeSvd(result, part as Svd, starts[chunk]!),
    finish: () => result,
    exclusive: size > LASTING
  }
}

export function svdProgram({ source, wide }: SvdChunk): Steps {
  return once(() => decompose<Floats>(source, wide ? Float64Array : Float32Array))
}
