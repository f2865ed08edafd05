import { rangeError, typeError } from '../core/errors.js'
import { checkInteger, checkNumber, checkOptions } from '../core/check.js'
import { channelLayout } from '../core/layout.js'
import { readTensor, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { readMatrix } from '../linalg/matrix.js'
import { FORMATS, type QuantizeFormat } from '../quantize/formats.js'
import { readOptions, type QuantizeOptions } from '../quantize/options.js'

/**
 * A format, alone or with the cut of its scales as in `quantize`. Without axis and group: a scale for each rank of the
 * factors (axis 1), for each row of what is no factor (axis 0).
 */
export type Quantization<F extends QuantizeFormat = QuantizeFormat> =
  F | { format: F; axis?: number; group?: number; symmetric?: boolean }

/** What holds a Gram matrix: the sums of products of columns of activations. */
export interface GramLike {
  matrix(): Tensor<Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>
}

export interface LowRankOptions {
  /** so many singular values are kept, 1 .. min(m, n) */
  rank?: number
  /** the least rank that keeps this share of the sum of squares, in (0, 1] */
  energy?: number
  /** the least rank whose result, as returned, is within this relative Frobenius error, in [0, 1] */
  maxRelativeError?: number
  /**
   * (samples, n): inputs x of y = A x. The errors of the outputs are what is kept small, then, and what the targets
   * speak of
   */
  activations?: TensorLike
  /**
   * (n, n): the Gram matrix XT X of such activations X, which may be too many to be had at once; a tensor, or what has
   * it as `matrix()`
   */
  gram?: TensorLike | GramLike
  /** both factors in integers or 16-bit floats, each fitted to what the rounding made of the other */
  quantize?: Quantization
  /** A - u vT as well, quantised: A ~ u vT + residual */
  residual?: Quantization
}

export type Target = Readonly<Pick<LowRankOptions, 'rank' | 'energy' | 'maxRelativeError'>>

/** How arrays become codes; nothing is left to a default. */
export type Coding = Readonly<Pick<QuantizeOptions, 'format' | 'axis' | 'group' | 'symmetric'>>

/** What `lowRank` is asked, read and checked. */
export interface LowRankTask {
  readonly source: Source
  readonly target: Target
  readonly activations?: Source
  readonly gram?: Source
  readonly quantize?: Coding
  readonly residual?: Coding
}

const VERB = 'lowRank'
const TARGETS = ['rank', 'energy', 'maxRelativeError'] as const

/** Reads and checks what `lowRank` is asked. */
export function prepareLowRank(matrix: TensorLike, options: LowRankOptions): LowRankTask {
  checkOptions(VERB, options, [...TARGETS, 'activations', 'gram', 'quantize', 'residual'])
  const given = TARGETS.filter((name) => options[name] !== undefined)
  if (given.length !== 1) {
    throw typeError(
      `${VERB}: expected exactly one of rank, energy, maxRelativeError, got ${given.join(' and ') || 'none'}`
    )
  }
  const source = readFilled(VERB, 'matrix', matrix)
  const { rank, energy, maxRelativeError } = options
  if (rank !== undefined) checkInteger(VERB, 'rank', rank, 1, Math.min(...source.shape))
  if (energy !== undefined) checkNumber(VERB, 'energy', energy, Number.MIN_VALUE, 1)
  if (maxRelativeError !== undefined) checkNumber(VERB, 'maxRelativeError', maxRelativeError, 0, 1)
  return {
    source,
    target: { rank, energy, maxRelativeError },
    ...readInputs(options, source.shape[1]!),
    quantize: readCoding(VERB, 'quantize', options.quantize, 1),
    residual: readCoding(VERB, 'residual', options.residual, 0)
  }
}

/** A matrix that has elements. */
export function readFilled(verb: string, name: string, matrix: unknown): Source {
  const source = readMatrix(verb, matrix, name)
  if (source.size === 0) {
    throw rangeError(`${source.name} expected a matrix with elements, got shape [${source.shape.join(', ')}]`)
  }
  return source
}

function readInputs({ activations, gram }: LowRankOptions, n: number): Pick<LowRankTask, 'activations' | 'gram'> {
  if (activations !== undefined && gram !== undefined) {
    throw typeError(`${VERB}: expected either "activations" or "gram", got both; leave one of them out`)
  }
  if (activations !== undefined) {
    const source = readMatrix(VERB, activations, 'activations')
    if (source.shape[1] !== n) {
      throw rangeError(
        `${source.name} expected shape [samples, ${n}], a column for each of the matrix, got [${source.shape.join(', ')}]`
      )
    }
    return { activations: source }
  }
  if (gram === undefined) return {}
  const source = readTensor(VERB, 'gram', isGramLike(gram) ? gram.matrix() : gram)
  if (source.shape.length !== 2 || source.shape.some((length) => length !== n)) {
    throw rangeError(
      `${source.name} expected shape [${n}, ${n}], of the matrix's columns, got [${source.shape.join(', ')}]`
    )
  }
  return { gram: source }
}

function isGramLike(gram: TensorLike | GramLike): gram is GramLike {
  return typeof (gram as { matrix?: unknown } | null)?.matrix === 'function'
}

/** `axis` is that of the scales where neither axis nor group is given. */
export function readCoding(
  verb: string,
  name: string,
  given: Quantization | undefined,
  axis: number
): Coding | undefined {
  if (given === undefined) return undefined
  const where = `${verb}: ${name}`
  const asked = typeof given === 'string' ? { format: given } : given
  checkOptions(where, asked, ['format', 'axis', 'group', 'symmetric'])
  const { format, symmetric, ...cut } = readOptions(where, asked)
  if (FORMATS[format].kind === 'half') return { format }
  if (cut.axis === undefined && cut.group === undefined) return { format, axis, symmetric }
  // Whether the axis is one of a matrix, and the group a whole number.
  channelLayout(where, [1, 1], cut.axis, cut.group)
  return { format, axis: cut.axis, group: cut.group, symmetric }
}
